#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ecrspec::fuzzing::layer_digest(text));
