// CompleteLayerUpload/layerDigests/match/wrong (ecr): one digest, a wrong one
#[test]
fn case_complete_layer_upload_layer_digests_match_wrong() {
    // upload: InitiateLayerUpload {"repositoryName":"«repository»"}
    // part: UploadLayerPart {"repositoryName":"«repository»","uploadId":"«upload.uploadId»","partFirstByte":0,"partLastByte":31,"layerPartBlob":"«base64:layer»"}
    // focus: CompleteLayerUpload, expected 400 InvalidLayerException {"repositoryName":"«repository»","uploadId":"«upload.uploadId»","layerDigests":["sha256:0000000000000000000000000000000000000000000000000000000000000001"]}
    // probe: BatchCheckLayerAvailability {"repositoryName":"«repository»","layerDigests":["«sha256:layer»"]}
    // `server()` gives your service: an axum router, or any other tower service.
    ecrspec::testing::case(server(), ecrspec::contract::Service::Ecr, "CompleteLayerUpload/layerDigests/match/wrong");
}
