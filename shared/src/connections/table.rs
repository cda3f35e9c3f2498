//! Creates and checks the table.

use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

use super::{Connections, unavailable};
use crate::{Error, Result};

impl Connections {
    /// Creates the table if it does not exist, as `template.yaml` does on AWS. For `local/` and tests.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if DynamoDB does not answer.
    pub async fn create_table(&self) -> Result<()> {
        let key = AttributeDefinition::builder().attribute_name("address").attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name("address").key_type(KeyType::Hash);
        let made = self
            .client
            .create_table()
            .table_name(&self.table)
            .attribute_definitions(key.build().map_err(Error::internal)?)
            .key_schema(schema.build().map_err(Error::internal)?)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match made {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => return Ok(()),
            Err(e) => return Err(unavailable(e)),
        }
        // The table can be neither used nor changed until it exists.
        let patience = Duration::from_secs(60);
        self.client.wait_until_table_exists().table_name(&self.table).wait(patience).await.map_err(unavailable)?;
        let ttl = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true);
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(ttl.build().map_err(Error::internal)?)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// # Errors
    /// [`Error::Unavailable`] if DynamoDB or the table does not answer.
    pub async fn ping(&self) -> Result<()> {
        let key = AttributeValue::S("health".to_owned());
        self.client.get_item().table_name(&self.table).key("address", key).send().await.map_err(unavailable)?;
        Ok(())
    }
}
