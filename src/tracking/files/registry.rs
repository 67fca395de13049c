//! Registered models and their versions, in `models/`: a folder for each, with its tags and aliases.

use std::path::Path;

use serde::Deserialize;

use super::reader::Reader;
use crate::tracking::entities::{Model, ModelVersion};
use crate::tracking::searched::DELETED;

#[derive(Deserialize)]
struct ModelMeta {
    name: String,
    #[serde(default)]
    creation_timestamp: Option<i64>,
    #[serde(default)]
    last_updated_timestamp: Option<i64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    workspace: Option<String>,
}

/// The registered model in a folder.
pub(super) fn model(reader: &mut Reader<'_>, folder: &Path) -> Option<Model> {
    let meta: ModelMeta = reader.meta(folder)?;
    Some(Model {
        name: meta.name,
        creation_timestamp: meta.creation_timestamp,
        last_updated_timestamp: meta.last_updated_timestamp,
        description: meta.description,
        workspace: meta.workspace,
        tags: reader.texts(&folder.join("tags")),
        aliases: aliases(reader, folder),
    })
}

/// The aliases of a model with their version numbers, sorted.
fn aliases(reader: &mut Reader<'_>, folder: &Path) -> Vec<(String, i64)> {
    let path = folder.join("aliases");
    let mut aliases = Vec::new();
    for (name, version) in reader.texts(&path) {
        match version.trim().parse() {
            Ok(version) => aliases.push((name, version)),
            Err(_) => reader.note(&path.join(name), "it names no version"),
        }
    }
    aliases
}

#[derive(Deserialize)]
struct VersionMeta {
    name: String,
    version: i64,
    #[serde(default)]
    creation_timestamp: Option<i64>,
    #[serde(default)]
    last_updated_timestamp: Option<i64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    current_stage: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    run_link: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    workspace: Option<String>,
}

/// The versions of a model that are not deleted.
pub(super) fn versions(reader: &mut Reader<'_>, folder: &Path) -> Vec<ModelVersion> {
    let aliases = aliases(reader, folder);
    let mut versions = Vec::new();
    for (name, path) in reader.folders(folder) {
        if !name.starts_with("version-") {
            continue;
        }
        let Some(meta) = reader.meta::<VersionMeta>(&path) else { continue };
        let stage = meta.current_stage.unwrap_or_else(|| "None".to_owned());
        if stage == DELETED {
            continue;
        }
        let own = aliases.iter().filter(|(_, version)| *version == meta.version);
        versions.push(ModelVersion {
            name: meta.name,
            version: meta.version,
            creation_timestamp: meta.creation_timestamp,
            last_updated_timestamp: meta.last_updated_timestamp,
            description: meta.description,
            user_id: meta.user_id,
            stage,
            source: meta.source,
            run_id: meta.run_id,
            run_link: meta.run_link,
            status: meta.status.unwrap_or_else(|| "READY".to_owned()),
            status_message: meta.status_message,
            workspace: meta.workspace,
            tags: reader.texts(&path.join("tags")),
            aliases: own.map(|(alias, _)| alias.clone()).collect(),
        });
    }
    versions
}
