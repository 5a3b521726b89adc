# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_herd_cli_global_optspecs
    string join \n c/config= t/timeout= tls ca= tls-name= json format= color= s/server= h/help V/version
end

function __fish_herd_cli_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_herd_cli_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_herd_cli_using_subcommand
    set -l cmd (__fish_herd_cli_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c herd-cli -n "__fish_herd_cli_needs_command" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_needs_command" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_needs_command" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -s V -l version -d 'Print version'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "iamat" -d 'Say where a client is'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "whatsat" -d 'Ask what is near a client'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "send" -d 'Send lines as they are, pipelined'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "watch" -d 'Follow where clients are: one line whenever that changes'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "digest" -d 'Compare what the servers of a herd hold, and say whether they agree'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "status" -d 'The herd at a glance: servers, links, alarms, and whether they agree'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "bench" -d 'Put servers under load and measure them: rate and latencies, propagation, a burst of clients'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "conformance" -d 'Hold servers, of whatever make, against what the protocol says'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "replay" -d 'Post a track from a file, GPX, NMEA or CSV, at its own pace'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "repl" -d 'Talk line by line: protocol lines, and shorter words for them; with history and completion'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "completions" -d 'Print what makes a shell complete command lines of this program'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "man" -d 'Print a man page, or write all of them'
complete -c herd-cli -n "__fish_herd_cli_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l time -d 'When: POSIX seconds with at most nine decimals [default: now]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand iamat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand whatsat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l interval -d 'How often to ask a server that does not tell by itself, at the shortest every 0.01 s' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l count -d 'End after so many changes' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l for -d 'End after so long' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l token-file -d 'A file with the token that servers want, readable not by everybody [default: HERD_ADMIN_TOKEN of the environment]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l admin -d 'Where a server answers to those who watch over it, as ip:port or host:port; as often as there are servers [default: as the configuration says; five servers on this machine]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l token-file -d 'A file with the token that servers want, readable not by everybody [default: HERD_ADMIN_TOKEN of the environment]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l wait -d 'How long servers are asked again until all answer and agree: some may still start, read their disk, or just be telling each other [default: 2, and only those that differ]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand digest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l admin -d 'Where a server answers to those who watch over it, as ip:port or host:port; as often as there are servers [default: as the configuration says; five servers on this machine]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l token-file -d 'A file with the token that servers want, readable not by everybody [default: HERD_ADMIN_TOKEN of the environment]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l wait -d 'How long servers that differ are asked again before that is said: they may just be telling each other' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l watch -d 'Show it again and again: every 2 seconds, or as often as said; on a terminal in place. Ctrl-C ends it' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s C -l connections -d 'Connections, which the servers take in turn' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s P -l pipeline -d 'Requests in flight on each connection; with --rate the most that may be [default: 1; with --rate 128]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l clients -d 'Clients that post, shared out among the connections [default: 100000; with --burst 10000]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s d -l duration -d 'How long it is measured' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l requests -d 'Measure so many requests instead of for a time' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l warmup -d 'How long it runs before it is measured' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l whatsat -d 'Share of WHATSAT in the requests, 0 to 1. All clients are posted once before anything is measured' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l radius -d 'How far those look, in kilometres' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l limit -d 'How many places those want; with --propagation the bound it begins with, 1 being tried where 0 is refused [default: 5; with --propagation 0]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l rate -d 'Requests a second of all connections together: an open loop. With --propagation, of a load meanwhile' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l prefix -d 'What the clients\' IDs begin with' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l threads -d 'Threads of the generator [default: 1, on machines of eight cores and more a quarter of them]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l samples -d 'Posts that are measured so' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l window -d 'The time in which the clients of --burst come, evenly' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l echo -d 'Load an echo in this process instead of a server: the generator\'s own limit'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l propagation -d 'Measure from a post at one server, each in turn, until it is visible at every other'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l burst -d 'Let each client connect and post once, all within --window'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l section -d 'Only what is of this section of WIRE.md, such as 2 or 2.3; as often as you like [default: all]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l level -d 'What the exit code goes by. Everything is tried and shown all the same' -r -f -a "core\t'What the course assignment says, or shows in its examples'
herd\t'All that WIRE.md says'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l list -d 'Say what would be tried, and connect to nobody'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand conformance" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l id -d 'Who moved, whatever the file says [default: the names in it; without any, the file\'s own]' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l from -d 'What the file is [default: as its first bytes say]' -r -f -a "gpx\t'GPX 1.0 and 1.1: points of tracks and routes, and waypoints'
nmea\t'NMEA 0183: RMC and GGA'
csv\t'CSV with the names of its columns in the first line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l speed -d 'How many times as fast as it was: 10x, 0.5x; max is as fast as the server answers' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l time -d 'The time that points are posted with' -r -f -a "original\t'The file\'s. A client that is known with a newer time does not move'
now\t'The present, with the distances of the points in time as they are played'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l gap-max -d 'Cut longer gaps in the track to so many of its seconds' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l altitude -d 'Post heights, too: <ele>, those of GGA, the column alt'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand repl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l dir -d 'Write all pages, each as a file, into this directory' -r -f -a "(__fish_complete_directories)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -s c -l config -d 'The herd\'s configuration, to find servers by name [default: five servers on this machine]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -s t -l timeout -d 'How long to wait for the connection and for each next reply' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l ca -d 'Who vouches for the servers: CA certificates, PEM. The system\'s own list is not used [default: as the FILE of --config says]' -r -F
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l tls-name -d 'The name in a server\'s certificate, where that is not the host or address that is connected to' -r
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l format -d 'How replies are shown' -r -f -a "auto\t'As human on a terminal, as raw elsewhere'
human\t'For people: sentences and a table'
raw\t'The bytes as they came; escaped on a terminal'
json\t'One JSON object a line'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l color -d 'When colours are used; auto heeds NO_COLOR' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -s s -l server -d 'A server\'s name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one; for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each; iamat, whatsat, send and watch go on with the next when one fails' -r -f -a "(herd-cli completions servers 2>/dev/null)"
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l tls -d 'Speak TLS with the servers [default: as the FILE of --config says]'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -l json -d 'One JSON object a reply, on one line (the same as --format json)'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "iamat" -d 'Say where a client is'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "whatsat" -d 'Ask what is near a client'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "send" -d 'Send lines as they are, pipelined'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "watch" -d 'Follow where clients are: one line whenever that changes'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "digest" -d 'Compare what the servers of a herd hold, and say whether they agree'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "status" -d 'The herd at a glance: servers, links, alarms, and whether they agree'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "bench" -d 'Put servers under load and measure them: rate and latencies, propagation, a burst of clients'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "conformance" -d 'Hold servers, of whatever make, against what the protocol says'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "replay" -d 'Post a track from a file, GPX, NMEA or CSV, at its own pace'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "repl" -d 'Talk line by line: protocol lines, and shorter words for them; with history and completion'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "completions" -d 'Print what makes a shell complete command lines of this program'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "man" -d 'Print a man page, or write all of them'
complete -c herd-cli -n "__fish_herd_cli_using_subcommand help; and not __fish_seen_subcommand_from iamat whatsat send watch digest status bench conformance replay repl completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
