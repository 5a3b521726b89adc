//! `./dev`, on machines where this and that is missing: what it runs, what it says, how it ends. Its tools are played by small scripts.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A machine with bash, a C compiler, Rust 1.95, OpenSSL and Chromium; the last three are only played.
struct Machine {
    tools: tempfile::TempDir,
}

/// How a run of `./dev` ended.
struct Run {
    code: Option<i32>,
    /// Standard output and standard error.
    said: (String, String),
}

impl Machine {
    fn new() -> Self {
        let machine = Self { tools: tempfile::tempdir().unwrap() };
        for tool in ["bash", "env", "sed", "sort", "dirname", "cat", "chmod"] {
            symlink(real(tool), machine.tools.path().join(tool)).unwrap();
        }
        let machine = machine.with("uname", "echo Linux").with("id", "echo 0");
        let machine = machine.with("cc", "exit 0").with("pkg-config", "exit 0");
        let machine = machine.with("chromium", "exit 0").with("haproxy", "exit 0");
        machine.with("rustc", "echo 'rustc 1.95.0 (0123456789 2026-01-01)'").with("cargo", "exit 0")
    }

    /// Has `tool`, which does as `script` says.
    fn with(self, tool: &str, script: &str) -> Self {
        let path = self.tools.path().join(tool);
        fs::write(&path, format!("#!{}\n{script}\n", real("bash").display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn without(self, tool: &str) -> Self {
        fs::remove_file(self.tools.path().join(tool)).unwrap();
        self
    }

    /// Has a package manager whose packages are said and include pkg-config.
    fn with_packages(self, manager: &str) -> Self {
        let pkg_config = self.tools.path().join("pkg-config").display().to_string();
        let bash = real("bash").display().to_string();
        let install = format!("printf '#!{bash}\\nexit 0\\n' >{pkg_config}; chmod +x {pkg_config}");
        self.with(manager, &format!("case \"$*\" in *ssl*) {install} ;; esac"))
    }

    /// Runs `./dev arguments` from a directory that is not the project's.
    fn dev(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("dev");
        let mut command = Command::new(script);
        command.args(arguments).current_dir(self.tools.path()).env_clear();
        command.env("PATH", self.tools.path()).env("HOME", self.tools.path()).envs(variables.iter().copied());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), said: (text(output.stdout), text(output.stderr)) }
    }
}

fn real(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|file| file.exists()).unwrap()
}

impl Run {
    /// The commands it said it ran.
    fn commands(&self) -> Vec<&str> {
        self.said.0.lines().filter_map(|line| line.strip_prefix("$ ")).collect()
    }

    #[track_caller]
    fn gave_up(&self, because: &str) {
        assert_eq!(self.code, Some(2), "{:?}", self.said);
        assert!(self.said.1.contains(because), "{:?}", self.said);
        assert!(!self.commands().iter().any(|command| command.starts_with("cargo")), "{:?}", self.said);
    }
}

const APT: &str =
    "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev pkg-config libssl-dev";

#[test]
fn nothing_is_installed_where_nothing_is_missing() {
    let run = Machine::new().with("apt-get", "exit 1").dev(&["test"], &[]);
    assert_eq!((run.commands(), run.code), (vec!["cargo test --workspace"], Some(0)));
    let run = Machine::new().without("pkg-config").dev(&["test"], &[("OPENSSL_DIR", "/opt/openssl")]);
    assert_eq!((run.commands(), run.code), (vec!["cargo test --workspace"], Some(0)));
    let run = Machine::new().without("pkg-config").with("uname", "echo Darwin").dev(&["test"], &[]);
    assert_eq!((run.commands(), run.code), (vec!["cargo test --workspace"], Some(0)));
}

#[test]
fn what_is_missing_is_installed() {
    let bare = || Machine::new().without("pkg-config");
    let run = bare().with_packages("apt-get").dev(&["test"], &[]);
    assert!(run.said.0.starts_with("Missing: pkg-config and the OpenSSL headers. Installing now:\n"), "{:?}", run.said);
    assert_eq!((run.commands(), run.code), (vec!["apt-get update", APT, "cargo test --workspace"], Some(0)));
    for (manager, install) in [
        ("dnf", "dnf install -y gcc pkgconf-pkg-config openssl-devel"),
        ("apk", "apk add build-base pkgconf openssl-dev openssl-libs-static"),
        ("brew", "brew install gcc pkgconf openssl@3"),
    ] {
        let run = bare().with_packages(manager).dev(&["test"], &[]);
        assert_eq!((run.commands(), run.code), (vec![install, "cargo test --workspace"], Some(0)));
    }
    // Found, but it knows no OpenSSL: the headers are missing.
    let run = Machine::new().with("pkg-config", "exit 1").with_packages("apt-get").dev(&["test"], &[]);
    assert_eq!((run.commands().len(), run.code), (3, Some(0)));
}

#[test]
fn who_is_not_root_uses_sudo_or_is_told_what_to_type() {
    let bare = || Machine::new().without("pkg-config").with("id", "echo 1000").with_packages("apt-get");
    let sudo = "while [ \"${1#-}\" != \"$1\" ]; do shift; done; \"$@\"";
    let run = bare().with("sudo", sudo).dev(&["test"], &[("CI", "true")]);
    let install = format!("sudo -n {APT}");
    assert_eq!(run.commands(), ["sudo -n apt-get update", &install, "cargo test --locked --workspace"]);
    assert_eq!(run.code, Some(0));
    bare().dev(&["test"], &[]).gave_up(&format!("Please run, as root:\ndev:     apt-get update\ndev:     {APT}"));
    bare()
        .with("sudo", "exit 1")
        .dev(&["test"], &[])
        .gave_up(&format!("did not work:\ndev:     apt-get update\ndev:     {APT}"));
    Machine::new().without("pkg-config").dev(&["test"], &[]).gave_up("with your system's package manager");
}

const CHROMIUM: &str = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium";

#[test]
fn a_browser_is_installed_for_the_tests_or_done_without() {
    let bare = || Machine::new().without("chromium");
    let tests = |run: &Run| assert_eq!(run.commands().last(), Some(&"cargo test --workspace"), "{:?}", run.said);
    // The tests are told which one it is.
    let told = Machine::new().with("cargo", "echo \"told $HERD_CHROMIUM\"").dev(&["test"], &[]);
    assert!(told.said.0.lines().last().unwrap().ends_with("/chromium"), "{:?}", told.said);
    let chosen = bare().with("apt-get", "exit 1").with("cargo", "echo \"told $HERD_CHROMIUM\"");
    let chosen = chosen.dev(&["test"], &[("HERD_CHROMIUM", "/opt/chrome")]);
    assert_eq!((chosen.said.0.lines().last(), chosen.commands().len()), (Some("told /opt/chrome"), 1));
    let machine = bare();
    let path = machine.tools.path().join("chromium").display().to_string();
    let install = format!("case \"$*\" in *chromium) printf '#!/bin/sh\\n' >{path}; chmod +x {path} ;; esac");
    let run = machine.with("apt-get", &install).dev(&["test"], &[]);
    assert_eq!((run.commands(), run.code), (vec!["apt-get update", CHROMIUM, "cargo test --workspace"], Some(0)));
    // Nobody to install it, or a system without such packages: the rest is tested.
    for machine in [bare(), bare().with("id", "echo 1000").with("apt-get", "exit 0")] {
        let run = machine.dev(&["test"], &[]);
        assert!(
            run.said.1.contains("skipped: the page in a browser") && run.said.1.contains(CHROMIUM),
            "{:?}",
            run.said
        );
        assert_eq!((run.commands(), run.code), (vec!["cargo test --workspace"], Some(0)));
    }
    // In vain: no harm at a desk, and a failure in CI.
    let run = bare().with("apt-get", "exit 1").dev(&["test"], &[]);
    assert_eq!(run.code, Some(0), "{:?}", run.said);
    tests(&run);
    let run = bare().with("apt-get", "exit 1").dev(&["test"], &[("CI", "true")]);
    assert_eq!(
        (run.code, run.commands().last()),
        (Some(1), Some(&"cargo test --locked --workspace")),
        "{:?}",
        run.said
    );
}

#[test]
fn missing_or_old_rust_is_said() {
    Machine::new().without("cargo").dev(&["test"], &[]).gave_up("https://rustup.rs");
    Machine::new().with("rustc", "exit 1").dev(&["test"], &[]).gave_up("rustup default stable");
    let floor = env!("CARGO_PKG_RUST_VERSION");
    let old = Machine::new().with("rustc", "echo 'rustc 1.9.9 (0123456789 2016-01-01)'");
    old.dev(&["test"], &[]).gave_up(&format!("Rust 1.9.9 is too old: this needs {floor} or newer"));
    let newest = Machine::new().with("rustc", "echo 'rustc 2.0.0-nightly (0123456789 2036-01-01)'");
    assert_eq!(newest.dev(&["test"], &[]).code, Some(0));
}

#[test]
fn ci_goes_on_after_a_failed_lane_and_counts() {
    // What lies in packages can't be played.
    let cargo = "case \"$1\" in doc | package) exit 101 ;; tree) echo 'some v1.0.0|MIT|https://example.org' ;; esac";
    let run = Machine::new().with("cargo", cargo).dev(&["ci"], &[("CI", "true")]);
    // Without documentation there is no listing of what is public.
    assert_eq!(run.said.0.lines().last(), Some("10 passed, 3 failed"), "{:?}", run.said);
    assert_eq!(run.code, Some(1));
    let failed = run.said.0.lines().filter_map(|line| line.strip_prefix("<== ")?.split_once(" FAILED "));
    assert_eq!(failed.map(|(lane, _)| lane).collect::<Vec<_>>(), ["doc", "api", "package"]);
    let lanes: Vec<&str> = run.said.0.lines().filter_map(|line| line.strip_prefix("==> ")).collect();
    assert_eq!(
        lanes,
        [
            "lint",
            "test",
            "doc",
            "api",
            "licences",
            "package",
            "features",
            "deb",
            "fuzz",
            "bench --quick",
            "sim --seeds 10000",
            "turmoil",
            "mutants"
        ]
    );
}

#[test]
fn usage_is_minded() {
    let run = Machine::new().dev(&[], &[]);
    assert_eq!(run.code, Some(0));
    for lane in [
        "demo", "test", "lint", "doc", "api", "licences", "package", "features", "deb", "fuzz", "bench", "sim",
        "turmoil", "mutants", "faults", "soak", "ci",
    ] {
        assert!(run.said.0.contains(&format!("\n  {lane} ")), "{lane} is not in the list");
    }
    let wrong: [&[&str]; 31] = [
        &["dance"],
        &["test", "--fast"],
        &["demo", "--go"],
        &["api", "--read"],
        &["licences", "--all"],
        &["package", "--publish"],
        &["deb", "--sign"],
        &["bench", "--slow"],
        &["bench", ""],
        &["bench", "nano"],
        &["bench", "--seconds", "2", "peers"],
        &["bench", "micro", "peers", "--seconds", "2"],
        &["sim", "--seeds", "-3"],
        &["sim", "--seed"],
        &["sim", "--profile"],
        &["sim", "--profile", ""],
        &["sim", "--profile", "calm flap"],
        &["mutants", "--seeds"],
        &["mutants", ""],
        &["mutants", "Ninja"],
        &["fuzz", "nothing"],
        &["fuzz", ""],
        &["fuzz", "--seconds", "5"],
        &["fuzz", "client_line", "--fast"],
        &["fuzz", "client_line", "--seconds", "soon"],
        &["faults", "--slow"],
        &["faults", "flood"],
        &["soak"],
        &["soak", "--seed", "1"],
        &["soak", "--minutes", "soon"],
        &["soak", "--hours", "1"],
    ];
    for arguments in wrong {
        Machine::new().dev(arguments, &[]).gave_up("says what it knows");
    }
}

#[test]
fn licences_are_judged_one_by_one() {
    let judged = |licence: &str| {
        let line = format!("echo 'some v1.0.0 (proc-macro)|{licence}|https://example.org'");
        let run = Machine::new().with("cargo", &line).dev(&["licences"], &[]);
        assert!(run.said.0.starts_with("some 1.0.0 "), "{:?}", run.said);
        run.code
    };
    for allowed in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert_eq!(judged(allowed), Some(0), "{allowed}");
    }
    for refused in
        ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND (GPL-2.0-only OR MPL-2.0)", "MITX", "see there"]
    {
        assert_eq!(judged(refused), Some(1), "{refused}");
    }
    assert_eq!(Machine::new().with("cargo", "exit 101").dev(&["licences"], &[]).code, Some(101));
}

#[test]
fn the_text_of_a_licence_is_found_however_its_file_is_written() {
    let place = tempfile::tempdir().unwrap();
    let package = place.path().join("some-1.0.0");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("license-mit"), "Do as you like.\n").unwrap();
    let texts = |ended: i32| {
        let metadata = format!("echo '\"id\":1,\"manifest_path\":\"{}/Cargo.toml\",'; exit {ended}", package.display());
        let cargo = format!("case \"$1\" in tree) echo 'some v1.0.0|MIT|' ;; metadata) {metadata} ;; esac");
        let machine = Machine::new().with("cargo", &cargo).with("tr", &format!("exec {} \"$@\"", real("tr").display()));
        machine.dev(&["licences", "--texts"], &[])
    };
    let run = texts(0);
    assert_eq!(run.code, Some(0), "{:?}", run.said);
    assert!(run.said.0.contains("\n---- license-mit\n\nDo as you like.\n"), "{:?}", run.said);
    // Where the sources lie can't be said: that is no licence without a text.
    assert_eq!(texts(101).code, Some(101));
}

#[test]
fn public_items_are_listed_after_what_documentation_has_built() {
    let machine = Machine::new().with("cargo", "echo \"${RUSTDOC##*/} $RUSTDOCFLAGS\"");
    let run = machine.dev(&["api", "--write"], &[("CARGO_TARGET_DIR", "elsewhere")]);
    let listing = "cargo run -p herd-bench --features api --bin public-api -- elsewhere/doc --write";
    assert_eq!(run.commands().last(), Some(&listing));
    assert!(run.said.0.contains("\nrustdoc-json  -Z unstable-options --output-format json\n"), "{:?}", run.said);
}

#[test]
fn a_profile_or_a_seed_is_handed_to_the_simulation() {
    let machine =
        Machine::new().with("cargo", "echo \"${HERD_SIM_SEEDS:-no} ${HERD_SIM_SEED:-no} ${HERD_SIM_PROFILE:-no}\"");
    let said = |arguments: &[&str]| machine.dev(arguments, &[]).said.0;
    let lane = "$ cargo test --release --workspace --test sim -- --nocapture";
    assert_eq!(said(&["sim"]), format!("{lane}\n2000 no no\n"));
    assert_eq!(said(&["sim", "--profile", "flap", "--seeds", "7"]), format!("{lane}\n7 no flap\n"));
    assert_eq!(said(&["sim", "--seed", "3"]), format!("{lane} histories\n2000 3 no\n"));
    Machine::new().dev(&["sim", "--profile", "wild"], &[]).gave_up("no profile wild; there are calm flap");
}

#[test]
fn a_mutant_is_picked_by_name_and_built_apart() {
    let machine = Machine::new().with("cargo", "echo \"${HERD_MUTANT:-all} $CARGO_TARGET_DIR$RUSTFLAGS\"");
    let said = |arguments: &[&str]| machine.dev(arguments, &[]).said.0;
    let lane = "$ cargo test --release -p herd-node --test sim -- --nocapture mutants::";
    assert_eq!(said(&["mutants"]), format!("{lane}\nall target/mutants --cfg herd_mutants\n"));
    assert_eq!(said(&["mutants", "NoSalt"]), format!("{lane}\nNoSalt target/mutants --cfg herd_mutants\n"));
    Machine::new().dev(&["mutants", "Ninja"], &[]).gave_up("no mutant Ninja; there are F64Times NoTieBreak");
}

#[test]
fn fuzz_targets_are_picked_by_name_and_their_executions_are_told() {
    let libfuzzer = "case \"$*\" in *run*) echo running; echo 'stat::number_of_executed_units: 7' ;; esac";
    let machine = Machine::new().with("mkdir", "exit 0").with("cargo", &format!("{libfuzzer}; exit 0"));
    let lane = |toolchain: &str, sanitizer: &str, target: &str, seconds: u32| {
        format!(
            "cargo{toolchain} fuzz run --features libfuzzer -s {sanitizer} {target} fuzz/corpus/{target} fuzz/seeds/{target} -- \
             -dict=fuzz/dictionaries/{target}.dict -max_total_time={seconds} -timeout=25 -print_final_stats=1"
        )
    };
    let run = machine.dev(&["fuzz", "client_line"], &[]);
    assert_eq!((run.commands(), run.code), (vec![lane("", "none", "client_line", 60).as_str()], Some(0)));
    assert!(run.said.0.ends_with("\nrunning\nclient_line: 7 executions\n"), "{:?}", run.said);
    let run = machine.dev(&["fuzz", "peer_line", "--asan", "codec_chunks", "--seconds", "5"], &[]);
    let both = ["peer_line", "codec_chunks"].map(|target| lane(" +nightly", "address", target, 5));
    assert_eq!(run.commands(), both);
    assert!(run.said.0.ends_with("\nall: 14 executions\n"), "{:?}", run.said);
    let run = machine.dev(&["fuzz", "link_machine"], &[]);
    let untraced = "-s none --no-trace-compares --target-dir fuzz/target/untraced link_machine ";
    assert!(run.commands()[0].contains(untraced), "{:?}", run.said);
    let run = machine.dev(&["fuzz", "all"], &[]);
    assert!(run.commands().len() >= 8 && run.code == Some(0), "{:?}", run.said);
    // What is found makes the lane fail, and the other targets have their turn all the same.
    let finds = Machine::new()
        .with("mkdir", "exit 0")
        .with("cargo", &format!("{libfuzzer}; case \"$*\" in *peer*) exit 77 ;; esac"));
    let run = finds.dev(&["fuzz", "peer_line", "client_line"], &[]);
    assert_eq!((run.commands().len(), run.code), (2, Some(1)), "{:?}", run.said);
}

#[test]
fn what_fuzzing_needs_is_said() {
    let bare = Machine::new().with("cargo", "case \"$*\" in fuzz*) exit 101 ;; esac");
    bare.dev(&["fuzz", "client_line"], &[]).gave_up("cargo install cargo-fuzz --locked");
    let stable = || Machine::new().with("cargo", "case \"$*\" in +nightly*) exit 1 ;; esac");
    stable().dev(&["fuzz", "client_line", "--asan"], &[]).gave_up("rustup toolchain install nightly");
    let run = stable().with("mkdir", "exit 0").dev(&["fuzz", "client_line"], &[]);
    assert_eq!((run.code, run.said.0.lines().last()), (Some(0), Some("client_line: 0 executions")));
}

#[test]
fn scenes_are_picked_by_name() {
    let commands = |arguments: &[&str]| {
        let run = Machine::new().dev(arguments, &[]);
        assert_eq!(run.code, Some(0), "{:?}", run.said);
        run.commands().join("; ")
    };
    let faults = |rest: &str| format!("cargo test --release --workspace --test faults -- {rest}");
    assert_eq!(commands(&["faults"]), faults("--full"));
    assert_eq!(commands(&["faults", "kill", "--quick", "reply"]), faults("--quick kill reply"));
}

#[test]
fn a_soak_is_given_its_time() {
    let run = Machine::new().dev(&["soak", "--minutes", "60", "--seed", "7", "--rate", "100"], &[]);
    let lane = "cargo test --release --workspace --test faults -- --soak --minutes 60 --seed 7 --rate 100";
    assert_eq!((run.commands(), run.code), (vec![lane], Some(0)));
}

#[test]
fn benchmarks_are_picked_by_name() {
    let machine = Machine::new().with("redis-server", "").with("memcached", "").with("nats-server", "");
    let commands = |arguments: &[&str]| {
        let run = machine.dev(arguments, &[]);
        assert_eq!(run.code, Some(0), "{:?}", run.said);
        run.commands().join("; ")
    };
    let bench = |name: &str, rest: &str| format!("cargo bench --workspace --bench {name} --{rest}");
    let (build, report) = ("cargo build --release --bins", "cargo run --release --bin report --");
    let example = "cargo build --release --workspace --example small-herd";
    let all = [
        build.to_owned(),
        bench("micro", " --quick"),
        bench("counts", " --quick"),
        bench("loopback", " --quick"),
        example.to_owned(),
        bench("peers", " --quick"),
        bench("costs", " --quick"),
        format!("{report} --trial"),
    ];
    assert_eq!(commands(&["bench", "--quick"]), all.join("; "));
    let some = [bench("micro", ""), format!("{report} --keep-micro"), report.to_owned()];
    assert_eq!(commands(&["bench", "micro", "report"]), some.join("; "));
    let one = [build.to_owned(), example.to_owned(), bench("peers", " --only echo,one --seconds 2")];
    assert_eq!(commands(&["bench", "peers", "--only", "echo,one", "--seconds", "2"]), one.join("; "));
    assert_eq!(commands(&["bench", "--quick", "micro"]), bench("micro", " --quick"));
}

#[test]
fn what_the_herd_is_compared_with_is_installed_or_skipped() {
    let first = ["cargo build --release --bins", "cargo build --release --workspace --example small-herd"];
    let last = "cargo bench --workspace --bench peers --";
    // Another one may be found outside of the path.
    let bare = || Machine::new().with("nats-server", "").with("apt-get", "");
    let run = bare().with("redis-server", "").dev(&["bench", "peers"], &[]);
    let install = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends memcached";
    assert_eq!(run.commands(), [first[0], first[1], "apt-get update", install, last]);
    // Nobody is asked for a password, and what can't be had stops nothing.
    let run = bare().with("id", "echo 1000").with("sudo", "exit 1").dev(&["bench", "peers"], &[]);
    assert_eq!((run.commands(), run.code), (vec![first[0], first[1], last], Some(0)));
    assert!(run.said.1.contains("not compared with: redis-server memcached. On Debian, as root:"), "{:?}", run.said);
    // A quick run takes what there is.
    let run = bare().dev(&["bench", "--quick", "peers"], &[]);
    assert!(!run.said.0.contains("apt-get"), "{:?}", run.said);
}

#[test]
fn debian_packages_are_made_with_the_one_version_of_cargo_deb() {
    let debian = || Machine::new().with("dpkg-deb", "").with("shellcheck", "").with("mmdebstrap", "");
    let install = "cargo install cargo-deb --version 3.8.0 --locked --root target/tools";
    // Another one may do other things.
    let run = debian().with("cargo-deb", "echo cargo-deb 3.7.9").with("cargo", "exit 101").dev(&["deb"], &[]);
    assert_eq!((run.commands(), run.code), (vec![install], Some(0)));
    assert!(run.said.0.ends_with("deb: skipped: cargo-deb can not be had\n"), "{:?}", run.said);
    // The programs are built before they are packed.
    let run = debian().with("cargo-deb", "echo cargo-deb 3.8.0").with("cargo", "exit 101").dev(&["deb"], &[]);
    assert_eq!((run.commands(), run.code), (vec!["cargo build --release --bins"], Some(101)));
    // What helps to look into them is installed by root, and by nobody else.
    let bare = || Machine::new().with("dpkg-deb", "").with("apt-get", "").with("cargo", "exit 101");
    let apt = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends shellcheck mmdebstrap";
    assert_eq!(bare().dev(&["deb"], &[]).commands()[..2], ["apt-get update", apt]);
    assert_eq!(bare().with("id", "echo 1000").dev(&["deb"], &[]).commands()[..1], [install]);
    let run = Machine::new().dev(&["deb"], &[]);
    assert_eq!((run.commands(), run.code), (vec![], Some(0)));
    assert!(run.said.0.contains("deb: skipped: this is no Debian"), "{:?}", run.said);
}

#[test]
fn what_one_test_wants_is_installed_where_that_is_easy() {
    if Path::new("/usr/sbin/haproxy").exists() {
        eprintln!("skipped: this machine has haproxy where the script looks for it");
        return;
    }
    let bare = || Machine::new().without("haproxy");
    let install = "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends haproxy";
    let run = bare().with("apt-get", "").dev(&["test"], &[]);
    assert_eq!((run.commands(), run.code), (vec!["apt-get update", install, "cargo test --workspace"], Some(0)));
    for machine in [bare(), bare().with("apt-get", "").with("id", "echo 1000")] {
        let run = machine.dev(&["test"], &[]);
        assert_eq!((run.commands(), run.code), (vec!["cargo test --workspace"], Some(0)));
        assert!(run.said.1.contains("not tested with: haproxy. On Debian, as root:"), "{:?}", run.said);
    }
    let run = bare().with("apt-get", "exit 1").dev(&["test"], &[]);
    assert_eq!((*run.commands().last().unwrap(), run.code), ("cargo test --workspace", Some(0)), "{:?}", run.said);
}
