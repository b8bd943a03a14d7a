//! Wrong usage and a server that is not there: exit codes for scripts, and words on what to do.

mod kit;

use kit::{breakwater, run};

#[test]
fn wrong_usage_is_exit_2_and_shows_what_was_meant() {
    let check = |arguments: &[&str], parts: &[&str]| {
        let token = "bwt-not-shown";
        run(breakwater().env("BREAKWATER_TOKEN", token).args(arguments)).fails(2, parts);
    };
    check(&["get"], &["<KIND>", "Usage: breakwater get [OPTIONS] <KIND> [NAME]"]);
    check(&["frobnicate"], &["frobnicate", "--help"]);
    check(&["get", "gadget"], &["no kind \"gadget\"", "provider, endpoint"]);
    check(&["apply", "-f", "/nowhere.yaml"], &["/nowhere.yaml"]);
    check(&["get", "routes", "--server", "127.0.0.1:1"], &["http://", "BREAKWATER_SERVER"]);
}

#[test]
fn help_and_version_are_data() {
    for argument in ["--help", "--version"] {
        let said = run(breakwater().arg(argument));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
        assert!(said.stdout.contains("reakwater"), "{said:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_exit_3() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = run(breakwater().args(["get", "routes", "--server", &format!("http://{free}")]));
    said.fails(3, &[&free.to_string(), "breakwater dev", "BREAKWATER_SERVER"]);
}
