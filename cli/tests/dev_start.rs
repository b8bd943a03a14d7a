//! `breakwater dev` starts, says what is where, finds everything again, and says why it cannot start.

mod kit;

use kit::{Dev, Folder, dev_command, run};

#[test]
fn a_restart_after_a_kill_finds_key_token_and_configuration() {
    let folder = Folder::new("restart");
    let dev = Dev::start(&folder);
    let kept = ["api_key", "admin_token"].map(|key| dev.says(key).to_owned());
    assert_eq!(dev.ask("gpt-4o", "hello").0, 200);
    let tenant = folder.file("t.yaml", "kind: Tenant\nname: kept\nspec: {}\n");
    dev.data(&["apply", "-f", &tenant]);
    let records = dev.json(&["ledger", "verify"])["records"].as_u64();
    dev.kill();

    let dev = Dev::start(&folder);
    assert_eq!(["api_key", "admin_token"].map(|key| dev.says(key).to_owned()), kept);
    assert_eq!(dev.ask("gpt-4o", "hello").0, 200);
    assert_eq!(dev.json(&["get", "tenant", "kept"])["name"], "kept");
    assert_eq!(dev.json(&["ledger", "verify"])["records"].as_u64(), records);
}

#[test]
fn a_second_one_names_the_directory_or_the_port_that_is_taken() {
    let folder = Folder::new("twice");
    let dev = Dev::start(&folder);
    let directory = folder.path("data").display().to_string();
    run(&mut dev_command(&folder)).fails(1, &[&directory, "in use by another process"]);

    let other = Folder::new("port");
    let taken = dev.says("admin_url").trim_start_matches("http://").to_owned();
    let mut command = kit::breakwater();
    command.args(["dev", "--proxy-listen", "127.0.0.1:0", "--admin-listen", &taken, "--data-dir"]);
    run(command.arg(other.path("data"))).fails(1, &[&taken, "--admin-listen"]);
}

#[test]
fn bends_are_warnings_on_stderr_and_the_banner_is_data_with_nothing_after_it() {
    let folder = Folder::new("banner");
    let dev = Dev::start(&folder);
    let url = dev.says("proxy_url").to_owned();
    dev.kill();
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let (banner, talk) = (read("dev.out"), read("dev.err"));
    assert!(banner.starts_with("Breakwater is up."), "{banner}");
    assert!(banner.contains(&format!("curl -sS {url}/v1/chat/completions")), "{banner}");
    for name in ["PATH", "BREAKWATER_SERVER", "BREAKWATER_TOKEN", "KEY"] {
        assert!(banner.contains(&format!("export {name}=")), "{banner}");
    }
    let bends: Vec<&str> = talk.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(bends.len(), 4, "{talk}");
    assert!(bends.iter().all(|line| line.starts_with("warning: mode development: ")), "{talk}");
}
