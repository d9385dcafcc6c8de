#!/usr/bin/env bash
# Builds all fuzz targets for ClusterFuzzLite and OSS-Fuzz: binaries, seeds and dictionary to $OUT. They set SRC, WORK,
# OUT, FUZZING_ENGINE and SANITIZER; so does tests/clusterfuzzlite.rs, which runs this on stable.
set -euo pipefail
cd "$SRC/ecrspec"

if [ "$FUZZING_ENGINE" != libfuzzer ]; then
    echo "expected the engine libfuzzer, found $FUZZING_ENGINE" >&2
    exit 1
fi
# Coverage comes by RUSTFLAGS, and not with a sanitizer.
case "$SANITIZER" in
    address) sanitizer=address ;;
    coverage | none) sanitizer=none ;;
    *) echo "expected the sanitizer address, coverage or none, found $SANITIZER" >&2; exit 1 ;;
esac
cargo fuzz build --sanitizer "$sanitizer" --target-dir "$WORK/target"

host=$(rustc -vV | sed -n 's/^host: //p')
for target in $(cargo fuzz list); do
    [ "$target" = empty ] && continue # It measures the engine, and finds nothing.
    cp "$WORK/target/$host/release/$target" "$OUT/"
    cp fuzz/ecrspec.dict "$OUT/$target.dict"
    # Names with a dot are the committed ones.
    rm -f "$OUT/${target}_seed_corpus.zip"
    zip -jq "$OUT/${target}_seed_corpus.zip" "fuzz/corpus/$target"/*.*
done
