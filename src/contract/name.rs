//! Names as other languages write them.

/// A name of the API with its words in small letters and this between them: `layerPartBlob` is `layer-part-blob` on the
/// command line of the AWS CLI, `InitiateLayerUpload` is `initiate_layer_upload` in boto3.
pub fn separated(name: &str, by: char) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(by);
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_with_capitals() {
        assert_eq!(separated("layerPartBlob", '-'), "layer-part-blob");
        assert_eq!(separated("InitiateLayerUpload", '_'), "initiate_layer_upload");
        assert_eq!(separated("", '-'), "");
    }
}
