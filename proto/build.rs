//! Compiles the proto files with protox, in process: no protoc on the machine is needed. The descriptor set is kept
//! whole (options and comments too), because manifests are checked and REST is transcoded by it at run time.

use std::path::PathBuf;

const PROTOS: [&str; 17] = [
    "breakwater/v1/access.proto",
    "breakwater/v1/apply.proto",
    "breakwater/v1/delivery_workflow.proto",
    "breakwater/v1/endpoint.proto",
    "breakwater/v1/fleet.proto",
    "breakwater/v1/ledger.proto",
    "breakwater/v1/options.proto",
    "breakwater/v1/playbook.proto",
    "breakwater/v1/policy.proto",
    "breakwater/v1/provider.proto",
    "breakwater/v1/proxy.proto",
    "breakwater/v1/reroute.proto",
    "breakwater/v1/route.proto",
    "breakwater/v1/slo.proto",
    "breakwater/v1/system.proto",
    "breakwater/v1/tenant.proto",
    "breakwater/internal/v1/command.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in PROTOS.iter().copied().chain(["breakwater/v1/resource.proto", "google/api/http.proto"]) {
        println!("cargo:rerun-if-changed={file}");
    }
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(false).include_imports(true);
    compiler.open_files(PROTOS)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    let services = std::env::var_os("CARGO_FEATURE_RPC").is_some();
    tonic_prost_build::configure()
        .build_client(services)
        .build_server(services)
        .btree_map(".")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
