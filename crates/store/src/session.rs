//! How LanceDB reaches the vault: a session whose only scheme is ours, and the one way to open a table.
//!
//! A plain path, `file://` or any other scheme fails, so that nothing can be written in the clear.
//! The commit handler is ours too: without it a custom scheme commits by plain overwrite and two
//! writers lose rows (measured: 410 acknowledged, 260 there).

use crate::StoreError;
use anyhow::Context;
use evoke_vault::Vault;
use lance::{dataset::ReadParams, dataset::WriteParams, session::Session};
use lance_io::object_store::{ObjectStore, ObjectStoreParams, ObjectStoreProvider, ObjectStoreRegistry};
use lance_table::io::commit::ConditionalPutCommitHandler;
use lancedb::{Connection, Table, connect, table::WriteOptions};
use std::{sync::Arc, time::Duration};
use url::Url;

const SCHEME: &str = "evoke";
const ROOT: &str = "evoke://home/";
/// Folder of the vault that holds the tables.
const FOLDER: &str = "db";
/// Bytes of index and of metadata that a session keeps in memory. A command that ends soon has little use for them.
const INDEX_CACHE: usize = 128 << 20;
const INDEX_CACHE_OF_ONE_COMMAND: usize = 24 << 20;
const METADATA_CACHE: usize = 32 << 20;
const METADATA_CACHE_OF_ONE_COMMAND: usize = 12 << 20;
/// Reads LanceDB may have under way at once: local files want few.
const READS: usize = 8;

/// Gives lance the vault's store for our scheme.
#[derive(Debug)]
struct Provider {
    store: Arc<dyn object_store::ObjectStore>,
}

#[async_trait::async_trait]
impl ObjectStoreProvider for Provider {
    async fn new_store(&self, base: Url, params: &ObjectStoreParams) -> lance::Result<ObjectStore> {
        Ok(ObjectStore::new(
            self.store.clone(),
            base,
            params.block_size,
            params.object_store_wrapper.clone(),
            false,
            // A folder lists its files in no order; told otherwise, lance takes an old version for the newest.
            false,
            READS,
            0,
            None,
        ))
    }
}

/// A connection to the tables of one vault.
pub(crate) async fn connection(vault: &Vault, one_command: bool) -> Result<Connection, StoreError> {
    let (index, metadata) = match one_command {
        true => (INDEX_CACHE_OF_ONE_COMMAND, METADATA_CACHE_OF_ONE_COMMAND),
        false => (INDEX_CACHE, METADATA_CACHE),
    };
    Ok(connect(ROOT)
        .session(session(vault, index, metadata)?)
        .read_consistency_interval(Duration::ZERO)
        .execute()
        .await?)
}

fn session(vault: &Vault, index_cache: usize, metadata_cache: usize) -> Result<Arc<Session>, StoreError> {
    let registry = ObjectStoreRegistry::empty();
    registry.insert(SCHEME, Arc::new(Provider { store: vault.object_store(FOLDER)? }));
    Ok(Arc::new(Session::new(index_cache, metadata_cache, Arc::new(registry))))
}

/// Opens a table. A writer makes it from an empty batch that has its columns where it is not there, and
/// adds columns that it lacks; for a reader it must be there.
pub(crate) async fn table(
    connection: &Connection,
    name: &str,
    empty: arrow_array::RecordBatch,
    writer: bool,
) -> Result<Table, StoreError> {
    let open = async || connection.open_table(name).lance_read_params(read_params()).execute().await;
    match open().await {
        Ok(table) if writer => with_new_columns(table, &empty).await,
        Err(lancedb::Error::TableNotFound { .. }) if writer => {
            let options = WriteOptions { lance_write_params: Some(write_params()) };
            connection.create_table(name, empty).write_options(options).execute().await?;
            // Opened anew, so that every table in use went through `read_params`.
            Ok(open().await?)
        }
        other => Ok(other.with_context(|| format!("the table {name} could not be opened"))?),
    }
}

fn read_params() -> ReadParams {
    ReadParams { commit_handler: Some(Arc::new(ConditionalPutCommitHandler)), ..ReadParams::default() }
}

fn write_params() -> WriteParams {
    WriteParams { commit_handler: Some(Arc::new(ConditionalPutCommitHandler)), ..WriteParams::default() }
}

/// Migration by addition: columns that this version knows and the table lacks are added, filled with
/// the neutral value of their type, so that an older archive opens without being imported anew.
async fn with_new_columns(table: Table, empty: &arrow_array::RecordBatch) -> Result<Table, StoreError> {
    use arrow_schema::DataType::{Boolean, FixedSizeList, Int32, Int64, Utf8};
    let present = table.schema().await?;
    let expected = empty.schema();
    let missing = expected.fields().iter().filter(|f| present.field_with_name(f.name()).is_err());
    let (vectors, plain): (Vec<_>, Vec<_>) = missing.partition(|f| matches!(f.data_type(), FixedSizeList(..)));
    if !vectors.is_empty() {
        let schema = arrow_schema::Schema::new(vectors.into_iter().cloned().collect::<Vec<_>>());
        let transform = lancedb::table::NewColumnTransform::AllNulls(Arc::new(schema));
        table.add_columns().transform(transform).execute().await?;
    }
    let expressions: Vec<(String, String)> = plain
        .into_iter()
        .map(|f| {
            let neutral = match f.data_type() {
                Utf8 => "''",
                Int64 => "CAST(0 AS BIGINT)",
                Int32 => "CAST(0 AS INT)",
                Boolean => "false",
                other => return Err(anyhow::anyhow!("no neutral value for {other} in column {}", f.name())),
            };
            Ok((f.name().clone(), neutral.to_owned()))
        })
        .collect::<Result<_, _>>()?;
    if !expressions.is_empty() {
        let transform = lancedb::table::NewColumnTransform::SqlExpressions(expressions);
        table.add_columns().transform(transform).execute().await?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PersonRow, Store};
    use evoke_message::{ConversationId, MessageId, PersonId};
    use evoke_vault::Secret;
    use std::collections::BTreeSet;

    fn vault(folder: &tempfile::TempDir) -> Vault {
        let home = folder.path().join("home");
        if Vault::exists(&home) { Vault::open(&home, Secret::KeyFile) } else { Vault::create(&home, Secret::KeyFile) }
            .unwrap()
    }

    #[tokio::test]
    async fn an_older_table_gets_the_columns_it_lacks_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&vault(&folder), true).await.unwrap();
        let ids = [ConversationId([1; 16]), ConversationId([2; 16])];
        let sizes = crate::Sizes { vector: 8, seed: 0, state: 0 };
        store.passages(1, sizes, true).await.unwrap().add_waiting(&ids).await.unwrap();
        drop(store);
        // As an earlier version would have left it: fewer columns than `PersonRow` has now.
        let connection = connection(&vault(&folder), false).await.unwrap();
        let people = connection.open_table("people").lance_read_params(read_params()).execute().await.unwrap();
        let all: BTreeSet<String> = people.schema().await.unwrap().fields().iter().map(|f| f.name().clone()).collect();
        let row =
            PersonRow { id: PersonId::me(), name: "Ana".into(), source: "telegram".into(), key: "1".into(), me: false };
        people.add(PersonRow::batch(&[row]).unwrap()).execute().await.unwrap();
        people.drop_columns(&["me"]).await.unwrap();
        drop((people, connection));

        let store = Store::open(&vault(&folder), true).await.unwrap();
        let now: BTreeSet<String> =
            store.people.schema().await.unwrap().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(now, all);
        let people = store.people().await.unwrap();
        assert_eq!(people.iter().map(|p| (p.name.as_str(), p.me)).collect::<Vec<_>>(), [("Ana", false)]);
        assert_eq!(store.passages(1, sizes, true).await.unwrap().waiting().await.unwrap(), ids);
    }

    #[tokio::test]
    async fn messages_written_before_anybody_looked_say_later_what_they_carry() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&vault(&folder), true).await.unwrap();
        let row = |n: u8| crate::MessageRow {
            message: message(n),
            words: "w".into(),
            plain: " w ".into(),
            digest: 0,
            import: 1,
            wall: Some(5),
        };
        store.add_messages(&[row(1), row(2)]).await.unwrap();
        drop(store);
        let connection = connection(&vault(&folder), false).await.unwrap();
        let messages = connection.open_table("messages").lance_read_params(read_params()).execute().await.unwrap();
        messages.drop_columns(&["has", "wall"]).await.unwrap();
        connection.drop_table("contacts", &[]).await.unwrap();
        drop((messages, connection));

        let store = Store::open(&vault(&folder), true).await.unwrap();
        let mut known = Vec::new();
        store.known(|k| known.push((k.id, k.has))).await.unwrap();
        known.sort();
        let [one, other] = [1, 2].map(|n| MessageId([n; 16]));
        assert_eq!(known, [(one, 0), (other, 0)]);
        assert_eq!(store.walls(&[one]).await.unwrap().get(&one), Some(&0), "not kept");
        store.say_has("link", &[one]).await.unwrap();
        store.rest_has_nothing().await.unwrap();
        let link = evoke_message::Filter { has: vec![evoke_message::Has::Link], ..Default::default() };
        let found = store.passing(&crate::Condition { filter: link, ..Default::default() }).await.unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [one]);
        assert!(store.contacts().await.unwrap().is_empty());
    }

    fn message(n: u8) -> evoke_message::Message {
        evoke_message::Message {
            id: MessageId([n; 16]),
            conversation: ConversationId([0; 16]),
            source: "t".into(),
            kind: evoke_message::Kind::Chat,
            sender: evoke_message::Sender { key: "a".into(), name: "Ana".into(), me: false },
            role: evoke_message::Role::Human,
            part: evoke_message::Part::Text,
            time: 0,
            time_original: String::new(),
            zone_known: true,
            edited: None,
            text: "w".into(),
            reply_to: None,
            attachments: vec![],
            documents: vec![],
            reactions: vec![],
            active: true,
            order: 0,
            place: evoke_message::Place::default(),
        }
    }

    /// Without the commit handler of this file 260 of 410 rows are left.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn writers_side_by_side_lose_no_rows() {
        const WRITERS: u8 = 4;
        const ROWS: u8 = 20;
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(&vault(&folder), true).await.unwrap();
        let mut work = Vec::new();
        for writer in 0..WRITERS {
            // A session of its own, as another process has.
            let store = Store::open(&vault(&folder), true).await.unwrap();
            work.push(tokio::spawn(async move {
                let mut acknowledged = 0;
                for row in 0..ROWS {
                    let mut id = [writer; 16];
                    id[0] = row;
                    acknowledged += usize::from(store.add_forgotten(&[MessageId(id)]).await.is_ok());
                }
                acknowledged
            }));
        }
        let mut acknowledged = 0;
        for writer in work {
            acknowledged += writer.await.unwrap();
        }
        assert!(acknowledged >= usize::from(ROWS), "{acknowledged}");
        let there: BTreeSet<MessageId> = first.forgotten().await.unwrap().into_iter().collect();
        assert_eq!(there.len(), acknowledged);
    }

    #[tokio::test]
    async fn a_plain_path_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(&vault(&folder), INDEX_CACHE, METADATA_CACHE).unwrap();
        let elsewhere = folder.path().join("plain");
        let made = lancedb::connect(elsewhere.to_str().unwrap()).session(session).execute().await;
        let made = match made {
            Ok(plain) => plain.create_table("t", PersonRow::batch(&[]).unwrap()).execute().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(made.is_err());
        assert!(!elsewhere.join("t.lance").exists());
    }
}
