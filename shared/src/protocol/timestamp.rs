//! A moment on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A moment, written as `2026-11-20T08:00:00.123Z`: always in UTC, always with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, ToSchema)]
#[sqlx(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T08:00:00.123Z")]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    pub const YEAR_1970: Self = Self(DateTime::UNIX_EPOCH);
    /// PostgreSQL's years go on, but four digits do not.
    pub const YEAR_10000: Self = Self(DateTime::from_timestamp_millis(253_402_300_800_000).expect("is a time"));
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self)
    }
}
