//! Has GNU's linker link a released bootstrap where the system's C compiler links: LLD, which rustc takes there, keeps the tables
//! of landing pads of functions that it throws away, a quarter of the binary. Whoever brings a linker, as cargo-lambda does,
//! is left alone.

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script in its environment")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| told(name).is_some_and(|told| told == value);
    let released = is("PROFILE", "release") && told("CARGO_FEATURE_LAMBDA").is_some();
    let by_compiler = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if released && by_compiler && told("RUSTC_LINKER").is_none() {
        println!("cargo:rustc-link-arg-bin=bootstrap=-fuse-ld=bfd");
    }
}
