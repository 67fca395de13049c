//! Packs syntect's default grammars, and ours beside them, into `../grammars.bin`; see `../README.md`.

use syntect::dumps::dump_to_uncompressed_file;
use syntect::parsing::SyntaxSet;
use syntect::parsing::syntax_definition::SyntaxDefinition;

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut set = SyntaxSet::load_defaults_newlines().into_builder();
    let toml = std::fs::read_to_string(format!("{folder}/toml.sublime-syntax")).expect("a grammar");
    set.add(SyntaxDefinition::load_from_str(&toml, true, None).expect("a grammar of TOML"));
    dump_to_uncompressed_file(&set.build(), format!("{folder}/grammars.bin"))
        .expect("a file to write");
}
