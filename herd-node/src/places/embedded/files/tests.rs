use super::super::index::Hit;
use super::super::point::Circle;
use super::super::render;
use super::*;

/// What a file of that name and content becomes; an error without the directory.
fn load_text(name: &str, content: impl AsRef<[u8]>) -> Result<Gazetteer, String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    std::fs::write(&file, content).unwrap();
    load(std::slice::from_ref(&file)).map_err(|error| {
        let error = error.to_string();
        assert!(!error.contains('\n'), "{error}");
        error.replace(&format!("{}/", directory.path().display()), "")
    })
}

/// `name|place_id|types|vicinity` of every place, as a client sees them.
fn places(gazetteer: &Gazetteer) -> Vec<String> {
    let circle = Circle::new(0.0, 0.0, f64::INFINITY);
    let mut hits: Vec<Hit<'_>> = gazetteer.index().within(&circle).collect();
    hits.sort_by_key(|hit| gazetteer.name(hit.place));
    let mut reply = Vec::new();
    render::reply(&mut reply, gazetteer, &hits);
    let value: serde_json::Value = serde_json::from_slice(&reply).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let one = |result: &serde_json::Value| {
        let types: Vec<String> = result["types"].as_array().unwrap().iter().map(text).collect();
        [text(&result["name"]), text(&result["place_id"]), types.join(","), text(&result["vicinity"])].join("|")
    };
    value["results"].as_array().unwrap().iter().map(one).collect()
}

#[track_caller]
fn good(name: &str, content: impl AsRef<[u8]>, expected: &[&str]) {
    assert_eq!(places(&load_text(name, content).unwrap()), expected, "{name}");
}

#[track_caller]
fn bad(name: &str, content: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(load_text(name, content).unwrap_err(), expected);
}

const OTHER: &str = "point_of_interest,establishment";

fn geonames(row: &[(usize, &str)]) -> String {
    let mut columns = [
        "5408522",
        "Westwood",
        "Westwood",
        "",
        "34.05612",
        "-118.43063",
        "P",
        "PPLX",
        "US",
        "",
        "CA",
        "037",
        "",
        "",
        "2019",
        "",
        "84",
    ]
    .to_vec();
    columns.extend(["America/Los_Angeles", "2019-09-05"]);
    for &(at, value) in row {
        columns[at] = value;
    }
    columns.join("\t")
}

#[test]
fn geonames_tables() {
    let text = [
        geonames(&[]),
        geonames(&[(1, "Gone"), (7, "PPLQ")]),
        String::new(),
        geonames(&[(0, "7"), (1, "Ein \"Berg\""), (6, "T"), (7, "MT"), (8, "DE"), (10, "99"), (14, "")]),
        geonames(&[(0, "8"), (1, "Landeplatz"), (6, "S"), (7, "AIRH"), (8, ""), (10, ""), (14, "6814400000")]),
    ];
    let expected = [
        "Ein \"Berg\"|geonames:7|natural_feature|Germany",
        "Landeplatz|geonames:8|heliport,point_of_interest,establishment|-",
        "Westwood|geonames:5408522|sublocality,political|California, United States",
    ];
    good("US.txt", text.join("\n"), &expected);
    good("US.TSV", text.join("\r\n") + "\r\n", &expected);
}

#[test]
fn geonames_tables_with_faults() {
    let with = |row: &[(usize, &str)]| format!("{}\n{}\n", geonames(&[]), geonames(row));
    bad("a.tsv", "name\tlat\n", "a.tsv:1: line: expected 19 columns");
    bad("a.tsv", with(&[(18, "x\ty")]), "a.tsv:2: line: expected 19 columns");
    bad("a.tsv", with(&[(0, "x")]), "a.tsv:2: geonameid: expected a whole number below 2^32");
    bad("a.tsv", with(&[(0, "4294967296")]), "a.tsv:2: geonameid: expected a whole number below 2^32");
    bad("a.tsv", with(&[(1, " ")]), "a.tsv:2: name: expected a name");
    bad("a.tsv", with(&[(1, &"x".repeat(1025))]), "a.tsv:2: name: expected at most 1024 bytes");
    bad("a.tsv", with(&[(4, "90.1")]), "a.tsv:2: latitude: expected a latitude from -90 to 90");
    bad("a.tsv", with(&[(4, "nan")]), "a.tsv:2: latitude: expected a latitude from -90 to 90");
    bad("a.tsv", with(&[(5, "-inf")]), "a.tsv:2: longitude: expected a longitude from -180 to 180");
    bad("a.tsv", with(&[(5, "-1e999")]), "a.tsv:2: longitude: expected a longitude from -180 to 180");
    bad("a.tsv", with(&[(14, "-1")]), "a.tsv:2: population: expected a whole number of people");
    bad("a.tsv", "\n \n", "a.tsv: expected at least one place");
}

#[test]
fn csv_tables() {
    let expected =
        [format!("A|file:1|{OTHER}|-"), "B, \"b\"\nb|file:2|cafe,bar|-".to_owned(), "C|file:3|x|-".to_owned()];
    let expected = expected.each_ref().map(String::as_str);
    good(
        "a.csv",
        "name,lat,lng,types\nA,1,2,\n\"B, \"\"b\"\"\nb\",-1.5,+2.25,cafe; bar;\n\n C ,90,-180,\"x\"",
        &expected,
    );
    good(
        "a.CSV",
        "\u{feff}id, LNG ,\"types\",Lat,name\r\n,2,|,1,A\r\n7,2,cafe|bar,1,\"B, \"\"b\"\"\nb\"\r\n9,2,x,1,C\r\n",
        &expected,
    );
    good("a.csv", "lat,lng,name\n1e1,2.,A\n", &[&format!("A|file:1|{OTHER}|-")]);
}

#[test]
fn csv_tables_with_faults() {
    for (text, expected) in [
        ("", "a.csv: expected at least one place"),
        ("name,lat,lng\n", "a.csv: expected at least one place"),
        ("name,lat,lon\nA,1,2\n", "a.csv:1: lng: expected such a column in the header"),
        ("\n\nname,lat,lng,name\n", "a.csv:3: name: expected only one such column in the header"),
        ("name,lat,lng\nA,1\n", "a.csv:2: line: expected 3 columns"),
        ("name,lat,lng\nA,1,2,3\n", "a.csv:2: line: expected 3 columns"),
        ("name,lat,lng\n\n\"A\nA\",1,2\nB,-90.0001,2\n", "a.csv:5: lat: expected a latitude from -90 to 90"),
        ("name,lat,lng\nA,1,\n", "a.csv:2: lng: expected a longitude from -180 to 180"),
        ("name,lat,lng\nA,1,infinity\n", "a.csv:2: lng: expected a longitude from -180 to 180"),
        ("name,lat,lng\n,1,2\n", "a.csv:2: name: expected a name"),
        ("name,lat,lng\nA,1,2\n\"B,1,2\nC,1,2\n", "a.csv:3: quotes: expected a closing quote"),
        ("name,lat,lng\n\"A\"x,1,2\n", "a.csv:2: quotes: expected quotes around a whole field, and doubled within it"),
        ("name,lat,lng\nA\"x\",1,2\n", "a.csv:2: quotes: expected quotes around a whole field, and doubled within it"),
    ] {
        bad("a.csv", text, expected);
    }
    bad(
        "a.csv",
        format!("name,lat,lng,types\nA,1,2,{}\n", "x;".repeat(600)),
        "a.csv:2: types: expected at most 1024 bytes",
    );
    bad("a.csv", b"name,lat,lng\nA,1,2\nB\xff,1,2\n", "a.csv:3: text: expected UTF-8");
}

const PLAIN: &str =
    r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[2,1]},"properties":{"name":"Plain"}}"#;
const TYPED: &str = r#"{"type":"Feature","properties":{"name":"Typed","types":["cafe","bar"],"categories":["?"],"x":{}},
 "geometry":{"coordinates":[2,1,500.5],"type":"Point"}}"#;
const OLD: &str = r#"{"type":"Feature","id":"08f2","geometry":{"type":"Point","coordinates":[-118.4,34.1]},"properties":{
 "names":{"primary":"Old","common":null},"categories":{"primary":"pizza_restaurant","alternate":["bar"]},
 "addresses":[{"freeform":"1 Main St","locality":"Los Angeles","region":"US-CA","country":"US"}]}}"#;
const NEW: &str = r#"{"type":"Feature","id":"","geometry":{"type":"Point","coordinates":[-118.4,34.1]},"properties":{"names":
 {"primary":"New"},"basic_category":"restaurant","taxonomy":{"primary":"pizza_restaurant","hierarchy":["food_and_drink"]},
 "categories":{"primary":"old_word"},"operating_status":"open","addresses":[{"locality":"Los Angeles"}]}}"#;
const CLOSED: &str = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[0,0]},"properties":
 {"names":{"primary":"Closed"},"operating_status":"permanently_closed"}}"#;

#[test]
fn geojson() {
    let expected = [
        "New|file:3|pizza_restaurant,restaurant|Los Angeles".to_owned(),
        "Old|08f2|pizza_restaurant|1 Main St, Los Angeles".to_owned(),
        format!("Plain|7|{OTHER}|-"),
        "Typed|file:4|cafe,bar|-".to_owned(),
    ];
    let expected = expected.each_ref().map(String::as_str);
    let features = [PLAIN, OLD, CLOSED, NEW, TYPED];
    let collection =
        format!("{{\"type\":\"FeatureCollection\",\"name\":1,\"features\":[\n{}\n]}}\n", features.join(",\n"));
    good("a.geojson", &collection, &expected);
    good("a.json", collection, &expected);
    let lines = features.map(|feature| feature.replace('\n', ""));
    good("a.geojsonl", lines.join("\r\n\r\n"), &expected);
    good("a.geojsons", lines.join("\n") + "\n", &expected);
    good("a.geojsonseq", features.map(|feature| format!("\u{1e}{feature}\n")).concat(), &expected);
}

#[test]
fn geojson_with_faults_in_the_file() {
    for (text, expected) in [
        (" \n", "a.json: expected at least one place"),
        (r#"{"type":"FeatureCollection","features":[]}"#, "a.json: expected at least one place"),
        ("{\n\"type\":", "a.json:2: text: expected JSON"),
        ("[]", "a.json:1: features: expected an object with an array of features"),
        ("{\"type\":\n\"Feature\",\"features\":[]}", "a.json:2: type: expected \"FeatureCollection\""),
        ("{\"features\":[]}", "a.json:1: type: expected \"FeatureCollection\""),
        ("{\"type\":\"FeatureCollection\"}", "a.json:1: features: expected an object with an array of features"),
        (
            "{\"type\":\"FeatureCollection\",\n\"features\":{}}",
            "a.json:2: features: expected an object with an array of features",
        ),
    ] {
        bad("a.json", text, expected);
    }
    bad("a.geojsonl", "", "a.geojsonl: expected at least one place");
    bad("a.geojsonl", format!("{PLAIN}\n\n{{\"type\"\n"), "a.geojsonl:3: feature 2: text: expected JSON");
    bad("a.geojsonl", format!("{PLAIN}\n[1]\n"), "a.geojsonl:2: feature 2: feature: expected an object");
    bad(
        "a.geojsons",
        format!("\u{1e}{TYPED}\n\u{1e}{PLAIN}\u{1e}\n{{\n!"),
        "a.geojsons:5: feature 3: text: expected JSON",
    );
}

#[test]
fn geojson_with_faults_in_a_feature() {
    for (from, to, expected) in [
        (r#""Feature""#, r#""Point""#, r#"type: expected "Feature""#),
        (r#""Feature""#, "1", "type: expected a string"),
        (r#""id":7"#, r#""id":[]"#, "id: expected a string or a number"),
        (r#""Point""#, r#""Polygon""#, r#"geometry.type: expected "Point""#),
        (r#"{"type":"Point","coordinates":[2,1]}"#, "null", "geometry: expected an object"),
        ("[2,1]", "[2]", "geometry.coordinates: expected an array of two or three numbers, longitude first"),
        ("[2,1]", "[2,\"1\"]", "geometry.coordinates: expected an array of two or three numbers, longitude first"),
        ("[2,1]", "[2,1e999]", "geometry.coordinates: expected an array of two or three numbers, longitude first"),
        ("[2,1]", "[2,90.5]", "geometry.coordinates: expected a latitude from -90 to 90"),
        ("[2,1]", "[-181,1]", "geometry.coordinates: expected a longitude from -180 to 180"),
        (r#"{"name":"Plain"}"#, "[]", "properties: expected an object"),
        (r#"{"name":"Plain"}"#, "{}", "properties.name: expected a name"),
        (r#"{"name":"Plain"}"#, r#"{"name":5}"#, "properties.name: expected a string"),
        (r#"{"name":"Plain"}"#, r#"{"names":"x"}"#, "properties.names: expected an object"),
        (r#"{"name":"Plain"}"#, r#"{"names":{}}"#, "properties.names.primary: expected a name"),
        (
            r#"{"name":"Plain"}"#,
            r#"{"name":"x","types":[1]}"#,
            "properties.types: expected a string or an array of strings",
        ),
        (
            r#"{"name":"Plain"}"#,
            r#"{"name":"x","operating_status":1}"#,
            "properties.operating_status: expected a string",
        ),
    ] {
        let collection =
            format!("{{\"type\":\"FeatureCollection\",\"features\":[{TYPED},\n{}]}}", PLAIN.replacen(from, to, 1));
        bad("a.json", collection, &format!("a.json:3: feature 2: {expected}"));
    }
}

#[test]
fn files_that_are_none() {
    bad(
        "a.xlsx",
        "",
        "a.xlsx: expected a name in .tsv, .txt, .csv, .geojson, .json, .geojsonl, .geojsons or .geojsonseq",
    );
    bad(
        "places",
        "",
        "places: expected a name in .tsv, .txt, .csv, .geojson, .json, .geojsonl, .geojsons or .geojsonseq",
    );
    let directory = tempfile::Builder::new().suffix(".csv").tempdir().unwrap();
    let error = load(&[directory.path().to_path_buf()]).unwrap_err();
    assert!(matches!(error, LoadError::Read { .. }), "{error}");
    let error = load(&[PathBuf::from("no\nwhere.csv")]).unwrap_err().to_string();
    assert!(error.starts_with(r"no\nwhere.csv: can't be read: "), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_end_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.csv");
    // Sparse: it takes neither disk nor, as it is refused by its size, memory.
    std::fs::File::create(&file).unwrap().set_len(FILE_MAX + 1).unwrap();
    assert!(matches!(load(&[file]).unwrap_err(), LoadError::TooLarge { bytes_max: FILE_MAX, .. }));
}

#[test]
fn several_files_are_one_set() {
    let directory = tempfile::tempdir().unwrap();
    let (csv, json) = (directory.path().join("a.csv"), directory.path().join("b.geojsonl"));
    std::fs::write(&csv, "name,lat,lng\nA,1,2\n").unwrap();
    std::fs::write(&json, format!("{}\n{PLAIN}", PLAIN.replace("\"id\":7,", ""))).unwrap();
    let found = places(&load(&[csv, json]).unwrap());
    assert_eq!(found, [format!("A|file:1|{OTHER}|-"), format!("Plain|file:2|{OTHER}|-"), format!("Plain|7|{OTHER}|-")]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(name in "a\\.(tsv|csv|json|geojsonl)", bytes: Vec<u8>, text in "([a-z,;\"\t\r\n]|name,lat,lng\n|[0-9.])*") {
        let _ = load_text(&name, bytes);
        let _ = load_text(&name, text);
    }
}
