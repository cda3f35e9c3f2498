//! The store of files' contents: S3, or something that speaks its protocol.
//!
//! Clients put contents into it and get them by signed links, so that the bytes never pass a function. What a link allows is in its
//! signature: the object, the time, and for an upload the length and the type, which the store compares with what it is sent (S3
//! user guide, "Uploading objects with presigned URLs").

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use chrono::DateTime;
use windi_shared::config::FilesConfig;
use windi_shared::ids::FileId;
use windi_shared::protocol::{FileInfo, FileLink, Timestamp, Upload};
use windi_shared::{Error, Result};

/// How long an upload may begin: 25 MB over a slow line take minutes, and a client may have to try again.
const UPLOAD_TIME: Duration = Duration::from_secs(15 * 60);
/// How long a download may begin. Whoever is removed from a chat may use what they were given for this long.
const DOWNLOAD_TIME: Duration = Duration::from_secs(5 * 60);
/// How long one attempt of a call may take, and all of them.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);
const CALL_LIMIT: Duration = Duration::from_secs(12);
/// How much of a picture is read to see what it is. Its size is behind what a camera has to say, which may be a second picture.
const HEAD_BYTES: u32 = 1024 * 1024;

/// A bucket.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    bucket: String,
    /// What links begin with, and what clients read in place of it.
    rewrite: Option<(String, String)>,
}

impl Store {
    pub fn new(aws: &SdkConfig, config: &FilesConfig) -> Self {
        let limits = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_LIMIT).operation_timeout(CALL_LIMIT);
        let mut settings = aws_sdk_s3::config::Builder::from(aws)
            .timeout_config(limits.build())
            // A link is signed before anybody has the contents.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &config.endpoint {
            // Such a store rarely has a name for each bucket.
            settings = settings.endpoint_url(endpoint).force_path_style(true);
        }
        if let Some((id, key)) = &config.credentials {
            settings = settings.credentials_provider(Credentials::new(id, key, None, None, "files"));
        }
        Self {
            client: Client::from_conf(settings.build()),
            bucket: config.bucket.clone(),
            rewrite: config.endpoint.clone().zip(config.public_url.clone()),
        }
    }

    /// A link that takes exactly the contents that were announced, and nothing once they are there.
    ///
    /// # Errors
    /// [`Error::Internal`] without credentials.
    pub async fn upload(&self, file: &FileInfo) -> Result<Upload> {
        let request = self.client.put_object().bucket(&self.bucket).key(new_key(file.id));
        let request = request.content_type(&file.content_type).content_length(file.size).if_none_match("*");
        let (validity, expires_at) = validity(UPLOAD_TIME)?;
        let signed = request.presigned(validity).await.map_err(failed)?;
        let headers: BTreeMap<_, _> = signed
            .headers()
            // Whoever sends something says how long it is; a browser does not let a page do so.
            .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Upload { method: "PUT".to_owned(), url: self.public(&signed), headers, expires_at })
    }

    /// A link to the contents. They are always a download, so that nothing of them runs where the link leads; only a picture
    /// keeps its type.
    ///
    /// # Errors
    /// [`Error::Internal`] without credentials.
    pub async fn download(&self, file: &FileInfo) -> Result<FileLink> {
        let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
        let kind = if file.width.is_some() { &file.content_type } else { "application/octet-stream" };
        let request = self.client.get_object().bucket(&self.bucket).key(kept_key(file.id));
        let request = request
            .response_content_disposition(format!("attachment; filename*=UTF-8''{name}"))
            .response_content_type(kind)
            .response_cache_control("private, max-age=31536000, immutable");
        let (validity, expires_at) = validity(DOWNLOAD_TIME)?;
        let signed = request.presigned(validity).await.map_err(failed)?;
        Ok(FileLink { id: file.id, url: self.public(&signed), expires_at })
    }

    /// Copies what was uploaded to where nobody can write to it, and returns its first bytes. What was uploaded stays for as long as
    /// its link works, and longer: so nothing else can be put in its place, and every copy is the same.
    ///
    /// # Errors
    /// [`Error::NotUploaded`].
    pub async fn keep(&self, id: FileId) -> Result<Vec<u8>> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(kept_key(id));
        match copy.copy_source(format!("{}/{}", self.bucket, new_key(id))).send().await {
            Ok(_) => {}
            Err(error) if is_missing(&error) => return Err(Error::NotUploaded),
            Err(error) => return Err(failed(error)),
        }
        let range = format!("bytes=0-{}", HEAD_BYTES - 1);
        match self.client.get_object().bucket(&self.bucket).key(kept_key(id)).range(range).send().await {
            Ok(head) => Ok(head.body.collect().await.map_err(|e| Error::Unavailable(e.into()))?.to_vec()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Deletes the contents of these files, wherever they are.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget(&self, ids: &[FileId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let keys = ids.iter().flat_map(|id| [new_key(*id), kept_key(*id)]);
        let objects: std::result::Result<Vec<_>, _> =
            keys.map(|key| ObjectIdentifier::builder().key(key).build()).collect();
        let objects = objects.map_err(Error::internal)?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(Error::internal)?;
        let outcome = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await.map_err(failed)?;
        match outcome.errors().first() {
            None => Ok(()),
            Some(error) => Err(Error::internal(format!("the store does not delete: {:?}", error.code()))),
        }
    }

    fn public(&self, signed: &PresignedRequest) -> String {
        match &self.rewrite {
            Some((endpoint, public)) => {
                let rest = signed.uri().strip_prefix(endpoint.trim_end_matches('/'));
                rest.map_or_else(|| signed.uri().to_owned(), |rest| format!("{public}{rest}"))
            }
            None => signed.uri().to_owned(),
        }
    }
}

/// Where clients put contents.
fn new_key(id: FileId) -> String {
    format!("new/{id}")
}

/// Where contents are that have been checked, or are about to be.
fn kept_key(id: FileId) -> String {
    format!("kept/{id}")
}

fn validity(time: Duration) -> Result<(PresigningConfig, Timestamp)> {
    let now = SystemTime::now();
    let config = PresigningConfig::builder().start_time(now).expires_in(time).build().map_err(Error::internal)?;
    Ok((config, Timestamp(DateTime::from(now + time))))
}

fn is_missing<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}

/// The store is away or too busy, or has refused what it should not.
fn failed<E>(error: SdkError<E>) -> Error
where
    SdkError<E>: std::error::Error + Send + Sync + 'static,
{
    let is_refusal = error.raw_response().is_some_and(|response| (400..429).contains(&response.status().as_u16()));
    match error {
        SdkError::ConstructionFailure(_) => Error::internal(error),
        _ if is_refusal => Error::internal(error),
        _ => Error::Unavailable(error.into()),
    }
}
