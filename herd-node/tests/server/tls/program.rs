//! `herd-node pki`, and what the program says of files it can't use.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use super::authority::{Authority, Wanted, write_private};
use crate::support::child::{herd_node, write_config};

fn pki(directory: &Path, arguments: &[&str]) -> Output {
    let directory = directory.join("tls");
    let mut all = vec!["pki"];
    all.extend(arguments);
    all.extend(["--directory", directory.to_str().unwrap()]);
    herd_node(&all)
}

fn error(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_herd_is_equipped_and_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (base, file) = (directory.path(), |name: &str| directory.path().join("tls").join(name));
    let output = said(&pki(base, &["init", "--herd", "harbour"]));
    assert!(output.contains("ca.pem: the CA of herd \"harbour\", until "), "{output}");
    let output = said(&pki(base, &["issue", "Riley", "--address", "127.0.0.1", "--address", "riley.example.org"]));
    assert!(output.contains("Riley.cert.pem: of server Riley of herd \"harbour\", until "), "{output}");
    assert_eq!([mode(&file("ca.key")), mode(&file("Riley.key.pem"))], [0o600; 2]);
    let shown = said(&herd_node(&["pki", "show", file("Riley.cert.pem").to_str().unwrap()]));
    let names = "herd:harbour/Riley, riley, riley.example.org, 127.0.0.1; valid until ";
    assert!(shown.starts_with(names) && shown.ends_with(" more days\n"), "{shown}");
    let config = write_config(
        base,
        "[herd]\nname = \"harbour\"\n[tls]\ncertificate = \"tls/{name}.cert.pem\"\nkey = \"tls/{name}.key.pem\"\nca = \"tls/ca.pem\"\n",
    );
    let checked = said(&herd_node(&["check-config", &config]));
    assert!(checked.lines().nth(1).unwrap().starts_with("Riley: certificate valid until "), "{checked}");
}

#[test]
fn nothing_is_overwritten_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let (base, file) = (directory.path(), |name: &str| directory.path().join("tls").join(name));
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    said(&pki(base, &["init"]));
    said(&pki(base, &["issue", "Riley"]));
    let before = ["ca.pem", "ca.key", "Riley.cert.pem", "Riley.key.pem"].map(read);
    for (arguments, name) in [(&["init"][..], "ca.key"), (&["issue", "Riley"], "Riley.key.pem")] {
        let (code, text) = error(&pki(base, arguments));
        assert_eq!(code, Some(1));
        assert_eq!(text, format!("herd-node: {} is there already; --force replaces it\n", file(name).display()));
    }
    assert_eq!(before, ["ca.pem", "ca.key", "Riley.cert.pem", "Riley.key.pem"].map(read));
    // A key that came to be readable by others does not stay so.
    std::fs::set_permissions(file("Riley.key.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    said(&pki(base, &["issue", "Riley", "--force", "--days", "1"]));
    assert_eq!(mode(&file("Riley.key.pem")), 0o600);
    assert_ne!(before[3], read("Riley.key.pem"));
    // What another CA signs is no certificate of this herd; it is noticed before anything is written.
    let other = tempfile::tempdir().unwrap();
    said(&pki(other.path(), &["init"]));
    std::fs::copy(other.path().join("tls/ca.key"), file("ca.key")).unwrap();
    let (code, text) = error(&pki(base, &["issue", "Juzang"]));
    assert!(code == Some(1) && text.contains(" are no pair of this program's: "), "{text}");
    assert!(!file("Juzang.cert.pem").exists() && !file("Juzang.key.pem").exists());
}

#[test]
fn an_old_pair_is_replaced_as_a_whole_or_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (base, tls) = (directory.path(), directory.path().join("tls"));
    let list = || -> BTreeSet<String> {
        let entries = std::fs::read_dir(&tls).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    said(&pki(base, &["init"]));
    said(&pki(base, &["issue", "Riley"]));
    let names = list();
    let read = || names.iter().map(|name| std::fs::read(tls.join(name)).unwrap()).collect::<Vec<_>>();
    let before = read();
    // Keys are made first. Where the certificate is to be made stands what can't be replaced.
    for (arguments, certificate) in
        [(&["init", "--force"][..], "ca.pem"), (&["issue", "Riley", "--force"], "Riley.cert.pem")]
    {
        let obstacle = tls.join(format!("{certificate}.new"));
        std::fs::create_dir(&obstacle).unwrap();
        let (code, text) = error(&pki(base, arguments));
        let expected = format!("herd-node: {}: ", obstacle.display());
        assert!(code == Some(1) && text.starts_with(&expected) && text.lines().count() == 1, "{text}");
        std::fs::remove_dir(&obstacle).unwrap();
        assert_eq!(list(), names, "nothing stays behind");
        assert!(read() == before, "{arguments:?}");
    }
    // What was left by one that was killed is in nobody's way.
    std::fs::write(tls.join("ca.key.new"), "half a k").unwrap();
    said(&pki(base, &["init", "--force"]));
    said(&pki(base, &["issue", "Riley", "--force"]));
    assert_eq!(list(), names);
    assert!(read().iter().zip(&before).all(|(new, old)| new != old));
    assert_eq!([mode(&tls.join("ca.key")), mode(&tls.join("ca.pem"))], [0o600, 0o644]);
}

#[test]
fn a_new_pair_is_made_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let (base, tls) = (directory.path(), directory.path().join("tls"));
    std::fs::create_dir(&tls).unwrap();
    std::fs::create_dir(tls.join("ca.pem")).unwrap();
    for (arguments, expected) in [
        (&["init"][..], "ca.pem is there already; --force replaces it\n"),
        (&["init", "--force"], "ca.pem is a directory\n"),
    ] {
        let (code, text) = error(&pki(base, arguments));
        assert!(code == Some(1) && text.ends_with(expected), "{text}");
        assert_eq!(std::fs::read_dir(&tls).unwrap().count(), 1);
    }
}

#[test]
fn what_cannot_be_made_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let (code, text) = error(&pki(base, &["issue", "Riley"]));
    assert!(code == Some(1) && text.ends_with("ca.pem: No such file or directory (os error 2)\n"), "{text}");
    said(&pki(base, &["init"]));
    for (arguments, expected) in [
        (&["issue", ".hidden"][..], "invalid value '.hidden' for '<NAME>': 1 to 64 of A-Z a-z 0-9 - _ ."),
        (
            &["issue", "Riley", "--address", "127.0.0.1:12000"],
            "expected an IP address or a host's name, without a port",
        ),
        (&["issue", "Riley", "--address", "0.0.0.0"], "the address that stands for all"),
        (&["issue", "Riley", "--days", "0"], "invalid value '0' for '--days <DAYS>'"),
        (&["init", "--herd", "a b"], "invalid value 'a b' for '--herd <NAME>'"),
        (&["init", "--days", "36501"], "36501 is not in 1..=36500"),
    ] {
        let (code, text) = error(&pki(base, arguments));
        assert!(code == Some(2) && text.contains(expected), "{arguments:?}: {text}");
    }
    std::fs::write(base.join("tls/ca.pem"), &Authority::new().pem).unwrap();
    let (code, text) = error(&pki(base, &["issue", "Riley"]));
    assert!(code == Some(1) && text.contains("is no CA of `herd-node pki init`"), "{text}");
    for (what, expected) in [
        ("tls", "is not a regular file"),
        ("none", "No such file or directory"),
        ("tls/ca.key", "holds no certificate in PEM"),
    ] {
        let (code, text) = error(&herd_node(&["pki", "show", base.join(what).to_str().unwrap()]));
        assert!(code == Some(1) && text.contains(expected) && text.lines().count() == 1, "{what}: {text}");
    }
}

/// The longest names there can be, and those that no host has.
#[test]
fn every_name_of_a_server_can_be_certified() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let long = "x".repeat(64);
    said(&pki(base, &["init", "--herd", &long]));
    for name in [&long, "under_score", "ends-in-", "two..dots", "192.0.2.1", "ca", "Riley", "riley"] {
        said(&pki(base, &["issue", name]));
        let shown = said(&herd_node(&["pki", "show", base.join(format!("tls/{name}.cert.pem")).to_str().unwrap()]));
        assert!(shown.starts_with(&format!("herd:{long}/{name}")), "{shown}");
    }
}

#[test]
fn each_mistake_in_the_files_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let (base, authority, other) = (directory.path(), Authority::new(), Authority::new());
    let riley = Wanted::server("Riley");
    let good = authority.issue(&riley);
    let of_days = |days| authority.issue(&Wanted { days, ..riley.clone() });
    let only = |uses: Vec<_>| authority.issue(&Wanted { uses, ..riley.clone() });
    std::fs::write(base.join("ca.pem"), &authority.pem).unwrap();
    let write = |certificate: &str, key: &str| {
        std::fs::write(base.join("Riley.cert.pem"), certificate).unwrap();
        write_private(&base.join("Riley.key.pem"), key);
    };
    let tls = "[tls]\ncertificate = \"{name}.cert.pem\"\nkey = \"{name}.key.pem\"\nca = \"ca.pem\"\n";
    let config = write_config(base, tls);
    let check = |expected: &str| {
        // To run is the same mistake, and as early.
        for arguments in [
            &["check-config", &config][..],
            &["run", "Riley", "--config", &config],
            &["run", "--all", "--config", &config],
        ] {
            let (code, text) = error(&herd_node(arguments));
            let text = text.replace(base.to_str().unwrap(), "DIR");
            assert_eq!(code, Some(2), "{text}");
            assert!(text.starts_with(&format!("herd-node: DIR/herd.toml:{expected}")), "{text}\nand not {expected}");
            assert_eq!(text.lines().count(), 1, "{text}");
        }
    };
    check("6: tls.certificate: DIR/Riley.cert.pem cannot be read: No such file or directory (os error 2)");
    write("nothing\n", &good.key);
    check("6: tls.certificate: DIR/Riley.cert.pem holds no certificate in PEM\n");
    write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &good.key);
    check("6: tls.certificate: DIR/Riley.cert.pem holds a certificate that cannot be read\n");
    write(&good.certificate, "nothing\n");
    check("7: tls.key: DIR/Riley.key.pem holds no unencrypted private key in PEM\n");
    write(&good.certificate, &authority.issue(&riley).key);
    check("7: tls.key: DIR/Riley.key.pem is not the key of the certificate\n");
    let juzang = authority.issue(&Wanted::server("Juzang"));
    write(&juzang.certificate, &juzang.key);
    check(
        "6: tls.certificate: DIR/Riley.cert.pem is no certificate of this server: its names are herd:ucla/Juzang, localhost, 127.0.0.1, not the URI herd:ucla/Riley\n",
    );
    let expired = of_days((-3, -1));
    write(&expired.certificate, &expired.key);
    check("6: tls.certificate: DIR/Riley.cert.pem expired at 20");
    let early = of_days((2, 3));
    write(&early.certificate, &early.key);
    check("6: tls.certificate: DIR/Riley.cert.pem is not valid before 20");
    let foreign = other.issue(&riley);
    write(&foreign.certificate, &foreign.key);
    check("6: tls.certificate: DIR/Riley.cert.pem is not vouched for by the CA: the certificate is of another CA\n");
    for uses in [rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth] {
        let half = only(vec![uses]);
        write(&half.certificate, &half.key);
        check(
            "6: tls.certificate: DIR/Riley.cert.pem is not vouched for by the CA: the certificate is not meant for this use (servers need both serverAuth and clientAuth)\n",
        );
    }
    write(&good.certificate, &good.key);
    std::fs::set_permissions(base.join("Riley.key.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    check("7: tls.key: DIR/Riley.key.pem can be read by everybody: chmod 600 DIR/Riley.key.pem\n");
    write(&good.certificate, &good.key);
    std::fs::write(base.join("ca.pem"), &Authority::of_days(-3, -1).pem).unwrap();
    check("8: tls.ca: DIR/ca.pem expired at 20");
    std::fs::write(base.join("ca.pem"), &good.key).unwrap();
    check("8: tls.ca: DIR/ca.pem holds no certificate in PEM\n");
    // Of two CAs, one of which is over, the other is enough.
    std::fs::write(base.join("ca.pem"), Authority::of_days(-3, -1).pem + &authority.pem).unwrap();
    assert!(said(&herd_node(&["check-config", &config])).contains("Riley: certificate valid until "));
}
