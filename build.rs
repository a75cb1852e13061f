//! Has the binary made anew when a file of the page is added or removed; changed ones are noticed anyway.

fn main() {
    for folder in ["web", "clients/js/src"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
