//! The files and variables a configuration names.

use super::*;

#[test]
fn files_are_private_readable_and_relative() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    write(base, "short", "only 18 bytes here\n", 0o600);
    write(base, "world", SECRET, 0o644);
    write(base, "empty", "\n", 0o600);
    write(base, "spaced", "two keys", 0o600);
    fs::create_dir(base.join("directory")).unwrap();
    let herd = "12: herd.secret_file: DIR/";
    let cases = [
        ("[herd]\nsecret_file = \"short\"", format!("{herd}short secret 1 has 18 bytes; at least 32 are needed")),
        ("[herd]\nsecret_file = \"world\"", format!("{herd}world can be read by everybody: chmod 600 DIR/world")),
        ("[herd]\nsecret_file = \"empty\"", format!("{herd}empty holds no secret")),
        (
            "[herd]\nsecret_file = \"none\"",
            format!("{herd}none cannot be read: No such file or directory (os error 2)"),
        ),
        ("[herd]\nsecret_file = \"directory\"", format!("{herd}directory is not a regular file")),
        (
            "[places]\nkey_file = \"world\"",
            "12: places.key_file: DIR/world can be read by everybody: chmod 600 DIR/world".to_owned(),
        ),
        (
            "[admin]\ntoken_file = \"world\"",
            "12: admin.token_file: DIR/world can be read by everybody: chmod 600 DIR/world".to_owned(),
        ),
        (
            "[admin]\ntoken_file = \"spaced\"",
            "12: admin.token_file: DIR/spaced is not a key: a key is printable ASCII without spaces".to_owned(),
        ),
        ("[admin]\ntoken = \"canary\"", "12: admin.token: unknown key; known here: token_file".to_owned()),
        (
            "[places]\nkey_file = \"spaced\"",
            "12: places.key_file: DIR/spaced is not a key: a key is printable ASCII without spaces".to_owned(),
        ),
        (
            "[places]\nca_file = \"ca.pem\"",
            "12: places.ca_file: DIR/ca.pem cannot be read: No such file or directory (os error 2)".to_owned(),
        ),
        (
            "[places]\ndata = [\"world\", \"directory\"]",
            "12: places.data: DIR/directory is not a regular file".to_owned(),
        ),
    ];
    for (table, expected) in cases {
        let path = write(base, "herd.toml", &format!("{PAIR}{table}\n"), 0o644);
        let error = Config::load(&path, &no_env).unwrap_err();
        let shown = error.to_string().replace(base.to_str().unwrap(), "DIR");
        assert_eq!(shown, format!("DIR/herd.toml:{expected}"));
        assert!(!format!("{error:?}").contains("18 bytes here"));
    }
    let error = Config::load(&base.join("none.toml"), &no_env).unwrap_err().to_string();
    assert!(error.ends_with("/none.toml: cannot be read: No such file or directory (os error 2)"), "{error}");
    let path = write(base, "large.toml", &"#".repeat(1024 * 1024 + 1), 0o644);
    assert!(
        Config::load(&path, &no_env).unwrap_err().to_string().ends_with("/large.toml: has more than 1048576 bytes")
    );
    let path = write(base, "herd.toml", &format!("{PAIR}[places]\ndata = [\"world\"]"), 0o644);
    let config = Config::load(&path, &no_env).unwrap();
    assert_eq!((config.places.data, config.journal.unwrap().directory), (vec![base.join("world")], base.join("logs")));
}

#[test]
fn the_environment_goes_before_files() {
    let env = |name: &str| match name {
        SECRET_VARIABLE => Some(format!("{SECRET}\n{SECRET}2\n")),
        KEY_VARIABLE => Some("canary".to_owned()),
        _ => None,
    };
    let text = format!("{PAIR}[herd]\nsecret_file = \"none\"\n[places]\nbackend = \"google\"\nkey_file = \"none\"\n");
    let configs = [Config::parse(text.as_bytes(), Path::new("herd.toml"), &env), Config::default_herd(&env)];
    for config in configs.map(Result::unwrap) {
        assert_eq!(config.secrets.len(), 2);
        assert_eq!(config.places.key.as_ref().unwrap().expose(), b"canary");
        assert!(!format!("{config:?}").contains("canary"));
    }
    let short = |name: &str| (name == SECRET_VARIABLE).then(|| "canary".to_owned());
    let error = Config::default_herd(&short).unwrap_err().to_string();
    assert_eq!(error, "environment: HERD_SECRET: secret 1 has 6 bytes; at least 32 are needed");
    let binary = |name: &str| (name == SECRET_VARIABLE).then(|| "\u{fffd}".repeat(32));
    assert_eq!(Config::default_herd(&binary).unwrap_err().to_string(), "environment: HERD_SECRET: is not UTF-8");
    let empty = |_: &str| Some(String::new());
    assert_eq!(Config::default_herd(&empty).unwrap().secrets, []);
}
