//! The binary carries scenarios and snapshots inside: a new file there is a reason to build again.

fn main() {
    println!("cargo:rerun-if-changed=scenarios");
    println!("cargo:rerun-if-changed=snapshots");
}
