//! The form for the start of a run on an engine: the parameters of the pipeline, further ones, and a note.

use ratatui_textarea::TextArea;
use serde_json::{Map, Value as Json};

use super::asked::Ask;
use crate::app::picker::{line, text};
use crate::remote::model::{Deployed, Submission};
use crate::runs::params::nested;
use crate::runs::request::parse_params;
use crate::text::UserError;

/// What a field is for.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldOf {
    /// A parameter that the pipeline on the engine declares.
    Param(String),
    /// Further parameters, as `kedro run --params` takes them.
    Params,
    /// A note that the engine keeps with the run.
    Note,
    /// Whether the engine's starts of the pipeline, which are paused, are resumed.
    Resume,
}

/// A field of the form.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is for.
    pub of: FieldOf,
    /// What is shown while it is empty; the default of a parameter.
    pub hint: String,
    /// Its text; `yes` for a switch that is on.
    pub text: TextArea<'static>,
}

/// The state of the form.
#[derive(Debug, Clone)]
pub struct SubmitForm {
    /// The profile.
    pub profile: String,
    /// The pipeline's id on the engine.
    pub pipeline: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// The field that has the cursor.
    pub at: usize,
}

impl Field {
    fn new(of: FieldOf, hint: impl Into<String>) -> Self {
        Field { of, hint: hint.into(), text: line("") }
    }

    /// The label.
    pub fn label(&self) -> &str {
        match &self.of {
            FieldOf::Param(name) => name,
            FieldOf::Params => "params",
            FieldOf::Note => "note",
            FieldOf::Resume => "resume",
        }
    }

    /// Whether it is a switch.
    pub fn is_switch(&self) -> bool {
        self.of == FieldOf::Resume
    }
}

impl SubmitForm {
    /// The form for a pipeline. A paused one would not begin, so it is resumed unless the switch is turned off.
    pub fn new(profile: &str, deployed: &Deployed) -> Self {
        let declared = deployed.params.iter();
        let mut fields: Vec<Field> = declared
            .map(|(name, default)| Field::new(FieldOf::Param(name.clone()), default.to_string()))
            .collect();
        fields.push(Field::new(FieldOf::Params, "key=value, nested.key=value"));
        fields.push(Field::new(FieldOf::Note, ""));
        if deployed.paused {
            let hint = "the pipeline is paused; without this the run waits";
            let mut field = Field::new(FieldOf::Resume, hint);
            field.text = line("yes");
            fields.push(field);
        }
        SubmitForm { profile: profile.into(), pipeline: deployed.id.clone(), fields, at: 0 }
    }

    /// Turns a switch.
    pub fn toggle(&mut self) {
        if let Some(field) = self.fields.get_mut(self.at).filter(|field| field.is_switch()) {
            let on = text(&field.text) == "yes";
            field.text = line(if on { "" } else { "yes" });
        }
    }

    /// The parameters that the run is submitted with.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn conf(&self) -> Result<Json, UserError> {
        let mut conf = Map::new();
        for field in &self.fields {
            let written = text(&field.text);
            let written = written.trim();
            match &field.of {
                _ if written.is_empty() => {}
                FieldOf::Param(name) => {
                    // What is no JSON is a text, as in Airflow's own form.
                    let value = serde_json::from_str(written);
                    conf.insert(name.clone(), value.unwrap_or_else(|_| Json::from(written)));
                }
                FieldOf::Params => {
                    let params = parse_params(written).map_err(|error| error.within("params"))?;
                    if let Json::Object(further) = nested(&params) {
                        conf.extend(further);
                    }
                }
                FieldOf::Note | FieldOf::Resume => {}
            }
        }
        Ok(Json::Object(conf))
    }

    /// The request that the form describes. The service gives the run its id.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn ask(&self) -> Result<Ask, UserError> {
        let written = |of: FieldOf| {
            let field = self.fields.iter().find(|field| field.of == of);
            field.map(|field| text(&field.text).trim().to_owned()).filter(|text| !text.is_empty())
        };
        let submission = Submission {
            pipeline: self.pipeline.clone(),
            id: String::new(),
            conf: self.conf()?,
            note: written(FieldOf::Note),
        };
        let resume = written(FieldOf::Resume).is_some();
        Ok(Ask::Submit { profile: self.profile.clone(), submission: Box::new(submission), resume })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployed() -> Deployed {
        let params = vec![("alpha".into(), json!(0.1)), ("name".into(), json!("x"))];
        Deployed { id: "shop".into(), paused: true, params, ..Deployed::default() }
    }

    #[test]
    fn the_form_has_a_field_for_each_parameter_and_gives_what_was_changed() {
        let mut form = SubmitForm::new("prod", &deployed());
        let labels: Vec<&str> = form.fields.iter().map(Field::label).collect();
        assert_eq!(labels, ["alpha", "name", "params", "note", "resume"]);
        assert_eq!(form.conf().unwrap(), json!({}));
        form.fields[0].text = line("0.5");
        form.fields[1].text = line("two words");
        form.fields[2].text = line("model.depth=3,alpha=2");
        form.fields[3].text = line(" a try ");
        let Ask::Submit { profile, submission, resume } = form.ask().unwrap() else { panic!() };
        assert_eq!(
            (profile.as_str(), submission.pipeline.as_str(), resume),
            ("prod", "shop", true)
        );
        let expected = json!({"alpha": 2, "name": "two words", "model": {"depth": 3}});
        assert_eq!(submission.conf, expected);
        assert_eq!(submission.note.as_deref(), Some("a try"));
        form.at = 4;
        form.toggle();
        assert!(matches!(form.ask(), Ok(Ask::Submit { resume: false, .. })));
        form.fields[2].text = line("model.depth");
        assert!(form.ask().unwrap_err().line().contains("params"));
    }
}
