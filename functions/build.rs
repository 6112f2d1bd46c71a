//! Makes the system's C compiler link the release bootstrap with GNU ld. LLD, the default of rustc there, keeps the landing
//! pad tables of functions that it removes, which are a quarter of the binary. If another linker is configured, as
//! cargo-lambda does, the script changes nothing.

#[expect(clippy::disallowed_methods, reason = "cargo passes its settings to a build script in the environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| setting(name).is_some_and(|set| set == value);
    let is_release = is("PROFILE", "release") && setting("CARGO_FEATURE_LAMBDA").is_some();
    let links_with_compiler = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_release && links_with_compiler && setting("RUSTC_LINKER").is_none() {
        println!("cargo:rustc-link-arg-bin=bootstrap=-fuse-ld=bfd");
    }
}
