//! What a client that was not written here makes of the reference server: a layer is pushed as clients of registries push
//! it, and each documented error is the type that the SDK has for it.

mod common;

/// The tests of one service: the clients of both have the same names in crates of their own.
macro_rules! service {
    ($module:ident, $sdk:ident, $service:expr) => {
        mod $module {
            use std::ops::Range;

            use ecrspec::contract::{ErrorType, Operation, Service};
            use $sdk::config::retry::RetryConfig;
            use $sdk::config::{BehaviorVersion, Credentials, Region};
            use $sdk::error::{ProvideErrorMetadata as _, SdkError};
            use $sdk::operation::complete_layer_upload::CompleteLayerUploadError;
            use $sdk::operation::upload_layer_part::UploadLayerPartError;
            use $sdk::primitives::Blob;
            use $sdk::types::LayerAvailability;
            use $sdk::{Client, Config};

            use super::common::{answering, digest, layer, mock};

            const SERVICE: Service = $service;
            const REPOSITORY: &str = "ecrspec/sdk";
            const MIB: usize = 1 << 20;

            fn client(endpoint: &str) -> Client {
                let config = Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new("us-east-1"))
                    .credentials_provider(Credentials::new("AKIDEXAMPLE", "no secret", None, None, "ecrspec"))
                    .endpoint_url(endpoint)
                    .retry_config(RetryConfig::disabled());
                Client::from_conf(config.build())
            }

            /// A client of a new server with one repository.
            async fn start() -> Client {
                let client = client(&mock(SERVICE).await);
                client.create_repository().repository_name(REPOSITORY).send().await.unwrap();
                client
            }

            async fn begin(client: &Client) -> (String, usize) {
                let begun = client.initiate_layer_upload().repository_name(REPOSITORY).send().await.unwrap();
                (begun.upload_id().unwrap().to_owned(), begun.part_size().unwrap().try_into().unwrap())
            }

            async fn upload(
                client: &Client,
                id: &str,
                bytes: &[u8],
                place: Range<usize>,
            ) -> Result<(), SdkError<UploadLayerPartError>> {
                client
                    .upload_layer_part()
                    .repository_name(REPOSITORY)
                    .upload_id(id)
                    .part_first_byte(place.start as i64)
                    .part_last_byte(place.end as i64 - 1)
                    .layer_part_blob(Blob::new(bytes))
                    .send()
                    .await
                    .map(|_| ())
            }

            /// The digest that CompleteLayerUpload answers.
            async fn complete(
                client: &Client,
                id: &str,
                digests: Vec<String>,
            ) -> Result<String, SdkError<CompleteLayerUploadError>> {
                let call = client.complete_layer_upload().repository_name(REPOSITORY).upload_id(id);
                let done = call.set_layer_digests(Some(digests)).send().await?;
                Ok(done.layer_digest().unwrap().to_owned())
            }

            async fn is_available(client: &Client, digest: &str) -> bool {
                let call = client.batch_check_layer_availability().repository_name(REPOSITORY);
                let checked = call.layer_digests(digest).send().await.unwrap();
                let is_there = |layer: &$sdk::types::Layer| {
                    layer.layer_digest() == Some(digest)
                        && layer.layer_availability() == Some(&LayerAvailability::Available)
                };
                checked.layers().iter().any(is_there)
            }

            /// Pushes a layer as clients of registries do. Whether it was uploaded.
            async fn push(client: &Client, layer: &[u8], checks: bool) -> bool {
                let digest = digest(layer);
                if checks && is_available(client, &digest).await {
                    return false;
                }
                let (id, part_size) = begin(client).await;
                let mut first = 0;
                for part in layer.chunks(part_size) {
                    upload(client, &id, part, first..first + part.len()).await.unwrap();
                    first += part.len();
                }
                match complete(client, &id, vec![digest.clone()]).await {
                    Ok(answered) => assert_eq!(answered, digest),
                    // Somebody else was faster: what was wanted is there.
                    Err(error) => assert!(error.into_service_error().is_layer_already_exists_exception()),
                }
                assert!(is_available(client, &digest).await);
                true
            }

            #[tokio::test]
            async fn a_layer_is_pushed_in_parts_of_part_size() {
                let client = start().await;
                let (_, part_size) = begin(&client).await;
                let layer = layer(1, 2 * part_size + MIB);
                assert!(push(&client, &layer, true).await);
                assert!(!push(&client, &layer, true).await, "it is there");
                assert!(push(&client, &layer, false).await, "it is there, which is as good");
            }

            /// The type of an error, as the SDK names it.
            fn completed<T>(result: Result<T, SdkError<CompleteLayerUploadError>>) -> String {
                let error = result.err().expect("it is rejected").into_service_error();
                assert!(!format!("{error:?}").starts_with("Unhandled"), "{error:?}");
                error.code().unwrap().to_owned()
            }

            fn uploaded<T>(result: Result<T, SdkError<UploadLayerPartError>>) -> String {
                let error = result.err().expect("it is rejected").into_service_error();
                assert!(!format!("{error:?}").starts_with("Unhandled"), "{error:?}");
                error.code().unwrap().to_owned()
            }

            #[tokio::test]
            async fn each_mistake_is_told_by_its_own_type() {
                let client = start().await;
                let bytes = layer(2, 1000);
                let wrong = digest(b"something else");

                let absent = complete(&client, "00000000-0000-0000-0000-000000000000", vec![wrong.clone()]).await;
                assert_eq!(completed(absent), "UploadNotFoundException");

                let (id, _) = begin(&client).await;
                assert_eq!(completed(complete(&client, &id, vec![wrong.clone()]).await), "EmptyUploadException");
                assert_eq!(uploaded(upload(&client, &id, &bytes, 1..1001).await), "InvalidLayerPartException");
                upload(&client, &id, &bytes, 0..1000).await.unwrap();
                assert_eq!(completed(complete(&client, &id, vec![wrong.clone()]).await), "InvalidLayerException");

                let (id, _) = begin(&client).await;
                upload(&client, &id, &bytes, 0..1000).await.unwrap();
                let many = vec![digest(&bytes); 101];
                assert_eq!(completed(complete(&client, &id, many).await), "InvalidParameterException");
                complete(&client, &id, vec![digest(&bytes)]).await.unwrap();

                let (id, _) = begin(&client).await;
                upload(&client, &id, &bytes, 0..1000).await.unwrap();
                let again = complete(&client, &id, vec![digest(&bytes)]).await;
                assert_eq!(completed(again), "LayerAlreadyExistsException");

                let (id, _) = begin(&client).await;
                let small = layer(3, 2000);
                upload(&client, &id, &small[..1000], 0..1000).await.unwrap();
                upload(&client, &id, &small[1000..], 1000..2000).await.unwrap();
                let in_small_parts = complete(&client, &id, vec![digest(&small)]).await;
                assert_eq!(completed(in_small_parts), "LayerPartTooSmallException");

                let elsewhere = client.complete_layer_upload().repository_name("ecrspec/absent").upload_id(&id);
                let elsewhere = elsewhere.layer_digests(digest(&small)).send().await;
                assert_eq!(completed(elsewhere), "RepositoryNotFoundException");
            }

            #[tokio::test]
            async fn each_documented_error_is_a_type_of_the_sdk() {
                let errors = |operation| SERVICE.contract().operation(operation).unwrap().errors;
                let found = |name: &&str| ErrorType::find(name).unwrap();
                let digests = vec![digest(b"")];
                for error in errors(Operation::CompleteLayerUpload).iter().map(found) {
                    let client = client(&answering(error).await);
                    assert_eq!(completed(complete(&client, "id", digests.clone()).await), error.name);
                }
                for error in errors(Operation::UploadLayerPart).iter().map(found) {
                    let client = client(&answering(error).await);
                    assert_eq!(uploaded(upload(&client, "id", b"x", 0..1).await), error.name);
                }
            }
        }
    };
}

service!(ecr, aws_sdk_ecr, Service::Ecr);
service!(ecr_public, aws_sdk_ecrpublic, Service::EcrPublic);
