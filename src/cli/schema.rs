//! `mlops-tui config-schema`: the JSON schemas of the files that a user writes.
//!
//! Those of themes and keymaps are made from the tables that read such files.

use std::process::ExitCode;

use clap::ValueEnum;
use color_eyre::eyre::Result;
use serde_json::{Map, Value as Json, json};
use strum::VariantArray;

use super::output;
use crate::app::command::COMMANDS;
use crate::app::control::{CONTROLS, Scope};
use crate::app::keymap;
use crate::ui::color::NAMED;
use crate::ui::theme::ROLES;
use crate::ui::theme::file::{ATTRIBUTES, COLORS};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Print the JSON schema of a file that you write, for editors that complete and check it.
///
/// mlops-tui config-schema theme > ~/.config/mlops-tui/theme.schema.json
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The kind of file: config.yaml, a theme or a keymap
    #[arg(value_enum, default_value_t)]
    kind: Kind,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Kind {
    /// config.yaml, and the table [tool.mlops-tui] of pyproject.toml
    #[default]
    Settings,
    /// A file of themes/
    Theme,
    /// A file of keymaps/
    Keymap,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match arguments.kind {
        Kind::Settings => output::text(include_str!("../../docs/settings.schema.json")),
        Kind::Theme => output::json(&theme()),
        Kind::Keymap => output::json(&keymap()),
    }
}

/// An object of these properties alone.
fn closed(properties: Map<String, Json>) -> Json {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn theme() -> Json {
    let names: Vec<&str> =
        NAMED.iter().map(|(name, ..)| *name).chain(std::iter::once("default")).collect();
    let own = json!({
        "description": "#rrggbb, a name of the terminal's palette, or the terminal's own colour.",
        "anyOf": [{"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}, {"enum": names}],
    });
    let color = json!({
        "description": "A name of the palette, or a colour.",
        "type": "string", "examples": names,
    });
    let colors = COLORS.iter().map(|name| ((*name).to_owned(), color.clone()));
    let attributes =
        ATTRIBUTES.iter().map(|(name, _)| ((*name).to_owned(), json!({"type": "boolean"})));
    let style = closed(colors.chain(attributes).collect());
    let role = |name: &str, follows: Option<&str>| {
        let told = match follows {
            Some(other) => format!("Without an entry, `{name}` looks like `{other}`."),
            None => format!("Without an entry, `{name}` is the terminal's own."),
        };
        json!({"description": told, "anyOf": [{"$ref": "#/$defs/color"}, {"$ref": "#/$defs/style"}]})
    };
    let name_of = |role| ROLES.iter().find(|(other, ..)| *other == role).map(|(_, name, _)| *name);
    let roles = ROLES.iter().map(|(_, name, follows)| {
        let follows = follows.first().and_then(|role| name_of(*role));
        ((*name).to_owned(), role(name, follows))
    });
    json!({
        "$schema": DRAFT,
        "title": "Theme of mlops-tui",
        "type": "object",
        "additionalProperties": false,
        "required": ["roles"],
        "properties": {
            "palette": {
                "description": "Names for colours.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/own"},
            },
            "roles": closed(roles.collect()),
        },
        "$defs": {"own": own, "color": color, "style": style},
    })
}

fn keymap() -> Json {
    let one = json!({"type": "string"});
    let keys = json!({"anyOf": [one, {"type": "array", "items": one}]});
    let entry = |name: &str, help: &str, keys: &[&str]| {
        let entry = json!({
            "description": format!("{help}."), "$ref": "#/$defs/keys", "default": keys,
        });
        (name.to_owned(), entry)
    };
    let names: Vec<&str> = keymap::BUILT_IN.iter().map(|(name, _)| *name).collect();
    let mut sections = Map::new();
    let extends = json!({
        "description": "The keymap below this one.", "type": "string", "examples": names,
    });
    sections.insert("extends".to_owned(), extends);
    let commands = COMMANDS.iter().map(|spec| entry(spec.name, spec.help, spec.keys));
    sections.insert("keys".to_owned(), closed(commands.collect()));
    for scope in Scope::VARIANTS {
        let controls = CONTROLS.iter().filter(|spec| spec.scope == *scope);
        let controls = controls.map(|spec| entry(spec.name, spec.help, spec.keys));
        sections.insert(scope.name().to_owned(), closed(controls.collect()));
    }
    let mut schema = closed(sections);
    schema["$schema"] = DRAFT.into();
    schema["title"] = "Keymap of mlops-tui".into();
    schema["$defs"] = json!({"keys": keys});
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Overrides;
    use crate::ui::theme;

    /// Whether a value follows a schema, as far as these schemas go; `whole` holds the definitions.
    fn follows(value: &Json, schema: &Json, whole: &Json) -> bool {
        let Some(rules) = schema.as_object() else { return schema != &Json::Bool(false) };
        rules.iter().all(|(rule, wanted)| match (rule.as_str(), wanted) {
            ("type", Json::String(kind)) => match kind.as_str() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                other => panic!("the type {other}"),
            },
            ("enum", Json::Array(values)) => values.contains(value),
            ("anyOf", Json::Array(choices)) => {
                choices.iter().any(|choice| follows(value, choice, whole))
            }
            ("$ref", Json::String(place)) => {
                let found = whole.pointer(place.trim_start_matches('#'));
                follows(value, found.expect("the definition is there"), whole)
            }
            ("items", items) => {
                value.as_array().is_none_or(|all| all.iter().all(|one| follows(one, items, whole)))
            }
            ("required", Json::Array(names)) => {
                names.iter().all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
            }
            ("properties", Json::Object(known)) => value.as_object().is_none_or(|all| {
                let own =
                    |(name, value)| known.get(name).is_none_or(|rule| follows(value, rule, whole));
                all.iter().all(own)
            }),
            ("additionalProperties", rule) => value.as_object().is_none_or(|all| {
                let known = |name: &str| schema["properties"].get(name).is_some();
                all.iter().all(|(name, value)| known(name) || follows(value, rule, whole))
            }),
            ("pattern", Json::String(pattern)) => {
                assert_eq!(pattern, "^#[0-9a-fA-F]{6}$");
                value
                    .as_str()
                    .and_then(|text| text.strip_prefix('#'))
                    .is_some_and(|hex| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit()))
            }
            ("$schema" | "title" | "description" | "default" | "examples" | "$defs", _) => true,
            (other, _) => panic!("the rule {other}"),
        })
    }

    fn checks(schema: &Json, text: &str) -> bool {
        follows(&serde_yaml::from_str(text).unwrap(), schema, schema)
    }

    #[test]
    fn the_files_that_come_along_follow_their_schemas() {
        for (name, text) in theme::BUILT_IN {
            assert!(checks(&theme(), text), "themes/{name}.yaml");
        }
        for (name, text) in keymap::BUILT_IN {
            assert!(checks(&keymap(), text), "keymaps/{name}.yaml");
        }
    }

    #[test]
    fn the_examples_of_the_documentation_follow_their_schemas() {
        let settings: Json =
            serde_json::from_str(include_str!("../../docs/settings.schema.json")).unwrap();
        let page = include_str!("../../docs/settings.md");
        let example = |start: &str| -> String {
            let (_, rest) = page.split_once(&format!("    {start}")).expect(start);
            let lines = std::iter::once(start).chain(rest.lines().skip(1));
            let lines =
                lines.enumerate().map_while(|(index, line)| match line.strip_prefix("    ") {
                    _ if index == 0 => Some(line),
                    line => line,
                });
            lines.collect::<Vec<_>>().join("\n")
        };
        let text = example("# ~/.config/mlops-tui/config.yaml");
        assert!(text.contains("theme:") && Overrides::from_yaml(&text).is_ok());
        assert!(checks(&settings, &text), "{text}");
        for start in ["# pyproject.toml", "[tool.mlops-tui.stores]", "[tool.mlops-tui.views.best]"]
        {
            let text = example(start);
            let toml: toml::Table = toml::from_str(&text).unwrap();
            let own = serde_json::to_value(&toml["tool"]["mlops-tui"]).unwrap();
            assert!(follows(&own, &settings, &settings), "{own}");
            assert!(Overrides::from_pyproject(&text).is_ok(), "{text}");
        }
        assert!(checks(&theme(), &example("palette:")));
        assert!(checks(&keymap(), &example("extends: vim")));
        assert!(checks(&keymap(), &example("ask:")));
    }

    #[test]
    fn mistakes_do_not_follow_the_schemas() {
        for text in [
            "palette: {mint: grue}\nroles: {}\n",
            "roles: {tekst: red}\n",
            "roles: {text: {blod: true}}\n",
            "roles: {text: {bold: 3}}\n",
            "palette: {}\n",
            "roles: {}\ncolours: {}\n",
        ] {
            assert!(!checks(&theme(), text), "{text}");
        }
        for text in ["keys: {fly: x}\n", "keys: {run: 3}\n", "ask: {perhaps: p}\n", "key: {}\n"] {
            assert!(!checks(&keymap(), text), "{text}");
        }
    }
}
