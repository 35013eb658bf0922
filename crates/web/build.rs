//! Has the crate compiled anew when the built web UI changes, also when it comes into being.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
}
