//! Manifests that are wrong: each is refused whole, and the message names file, line, field and what would be right.

mod kit;

use kit::{Dev, Folder};

#[test]
fn a_wrong_manifest_is_named_by_file_line_and_field() {
    let folder = Folder::new("wrong");
    let dev = Dev::start(&folder);
    let check = |text: &[u8], code: i32, parts: &[&str]| {
        let file = folder.file("x.yaml", text);
        dev.run(&["apply", "-f", &file]).fails(code, parts);
    };
    let provider = "kind: Provider\nname: p\nspec:\n  type: openai\n  base_url: http://h/v1\n  circuit_breaker: {open_ttl: ";
    check(
        b"kind: Route\nname: r\nspec:\n  endpont: x\n",
        1,
        &["x.yaml", "line 4", "spec.endpont", "did you mean \"endpoint\""],
    );
    check(b"kind: Rout\nname: r\nspec: {}\n", 1, &["line 1", "did you mean \"Route\""]);
    check(
        format!("{provider}15%}}\n").as_bytes(),
        1,
        &["line 6", "spec.circuit_breaker.open_ttl", "\"15%\"", "2000ms"],
    );
    check(format!("{provider}60s\n").as_bytes(), 1, &["x.yaml", "not valid YAML"]);
    check(
        b"kind: Route\nname: r\nspec:\n  endpoint: gone\n  policies: [prodction]\n",
        1,
        &[
            "line 4",
            "no Endpoint named \"gone\"",
            "line 5",
            "did you mean \"production\"",
            "nothing was changed",
        ],
    );
    check(
        b"kind: Tenant\nname: t\nspec: {}\n---\nkind: Tenant\nname: t\nspec: {}\n",
        1,
        &["document 2", "given twice"],
    );
    check(b"kind: Tenant\nname: caf\xe9\nspec: {}\n", 1, &["x.yaml", "line 2", "UTF-8"]);
    check(
        b"kind: Tenant\nname: \"${BREAKWATER_TEST_UNSET}\"\nspec: {}\n",
        1,
        &["line 2", "BREAKWATER_TEST_UNSET"],
    );
    check(b"", 2, &["no resource"]);
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{},", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(',')));
    }
    check(bomb.as_bytes(), 1, &["x.yaml", "nodes once aliases are expanded"]);
}

#[test]
fn a_bad_file_of_a_directory_keeps_the_good_ones_out() {
    let folder = Folder::new("directory");
    let dev = Dev::start(&folder);
    folder.file("dir/a.yaml", "kind: Tenant\nname: good\nspec: {}\n");
    folder.file("dir/b.yaml", "kind: Tenant\nname: bad\nspec: {ruotes: []}\n");
    folder.file("dir/c.yaml", b"kind: Tenant\nname: \xff\n");
    let directory = folder.path("dir").display().to_string();
    dev.run(&["apply", "-f", &directory])
        .fails(1, &["nothing was applied", "b.yaml", "\"routes\"", "c.yaml", "UTF-8"]);
    dev.run(&["get", "tenant", "good"]).fails(1, &["no Tenant"]);
}

#[test]
fn a_wrong_token_or_port_is_told_apart_from_a_server_that_is_not_there() {
    let folder = Folder::new("token");
    let dev = Dev::start(&folder);
    let last = if dev.says("admin_token").ends_with('A') { "B" } else { "A" };
    let mut wrong = dev.says("admin_token").to_owned();
    wrong.pop();
    wrong.push_str(last);
    dev.run(&["get", "routes", "--token", &wrong]).fails(1, &["does not accept the token", "breakwater dev"]);
    dev.run(&["get", "routes", "--token", ""]).fails(1, &["BREAKWATER_TOKEN", "not set"]);
    let proxy = dev.says("proxy_url");
    dev.run(&["get", "routes", "--server", proxy]).fails(3, &[proxy, "not a control plane", "8090"]);
}
