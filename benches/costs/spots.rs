//! Where people are: the first decimals of the coordinates of cities on all inhabited continents. A client's number gives the others, so
//! that no two stand in the same place.

/// Latitude and longitude, each to be followed by more digits.
pub(crate) const SPOTS: [(&str, &str); 48] = [
    ("+40.7", "-074.0"), // New York
    ("+34.0", "-118.2"), // Los Angeles
    ("+41.8", "-087.6"), // Chicago
    ("+29.7", "-095.3"), // Houston
    ("+43.6", "-079.3"), // Toronto
    ("+19.4", "-099.1"), // Mexico City
    ("+23.1", "-082.3"), // Havana
    ("+04.6", "-074.0"), // Bogota
    ("-12.0", "-077.0"), // Lima
    ("-33.4", "-070.6"), // Santiago
    ("-34.6", "-058.3"), // Buenos Aires
    ("-23.5", "-046.6"), // Sao Paulo
    ("-22.9", "-043.1"), // Rio de Janeiro
    ("+51.5", "-000.1"), // London
    ("+48.8", "+002.3"), // Paris
    ("+40.4", "-003.7"), // Madrid
    ("+41.8", "+012.4"), // Rome
    ("+52.5", "+013.4"), // Berlin
    ("+48.2", "+016.3"), // Vienna
    ("+52.2", "+021.0"), // Warsaw
    ("+59.3", "+018.0"), // Stockholm
    ("+50.4", "+030.5"), // Kyiv
    ("+55.7", "+037.6"), // Moscow
    ("+41.0", "+028.9"), // Istanbul
    ("+37.9", "+023.7"), // Athens
    ("+30.0", "+031.2"), // Cairo
    ("+33.5", "-007.5"), // Casablanca
    ("+06.5", "+003.3"), // Lagos
    ("+05.6", "-000.1"), // Accra
    ("-01.2", "+036.8"), // Nairobi
    ("-26.2", "+028.0"), // Johannesburg
    ("-33.9", "+018.4"), // Cape Town
    ("+24.7", "+046.6"), // Riyadh
    ("+35.6", "+051.3"), // Tehran
    ("+24.8", "+067.0"), // Karachi
    ("+28.6", "+077.2"), // Delhi
    ("+19.0", "+072.8"), // Mumbai
    ("+23.7", "+090.3"), // Dhaka
    ("+13.7", "+100.5"), // Bangkok
    ("+10.7", "+106.6"), // Ho Chi Minh City
    ("+01.3", "+103.8"), // Singapore
    ("-06.2", "+106.8"), // Jakarta
    ("+14.5", "+120.9"), // Manila
    ("+22.3", "+114.1"), // Hong Kong
    ("+31.2", "+121.4"), // Shanghai
    ("+39.9", "+116.4"), // Beijing
    ("+35.6", "+139.6"), // Tokyo
    ("-33.8", "+151.2"), // Sydney
];
