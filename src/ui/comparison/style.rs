//! The style of the page: the colours of the light theme, and those of the dark theme where the reader prefers them.

use crate::ui::chart::svg;
use crate::ui::color::{Depth, web};
use crate::ui::theme::{Role, Theme};

/// The rules of a page with so many runs.
pub(super) fn page(runs: usize) -> String {
    let charts = svg::dashes(runs);
    let (light, dark) = (colours("light"), colours("dark"));
    format!("{RULES}{charts}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

fn colours(name: &str) -> String {
    let theme = Theme::built_in(name, Depth::True);
    let ink = |role: Role| web(theme.style(role).fg);
    format!(
        ":root {{ --paper: {}; --text: {}; --dim: {}; --border: {}; --good: {} }}\n{}",
        web(theme.style(Role::Background).bg),
        ink(Role::Text),
        ink(Role::Dim),
        ink(Role::Border),
        ink(Role::Good),
        svg::style(name)
    )
}

const RULES: &str = "\
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 90rem; background: var(--paper); color: var(--text); overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: 0 }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
header p { margin: .2rem 0; color: var(--dim) }
.left { color: var(--dim) }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--border); text-align: right; vertical-align: top; white-space: nowrap }
thead th { vertical-align: bottom }
th[scope=row], .t { text-align: left }
.note { text-align: left; white-space: pre-wrap; min-width: 16rem }
th[scope=row] { position: sticky; left: 0; background: var(--paper); max-width: 40vw; overflow: hidden; text-overflow: ellipsis }
.best { color: var(--good); font-weight: bold }
small { display: block; font-weight: normal; color: var(--dim) }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .2rem 1rem }
dt { color: var(--dim) }
dd { margin: 0 }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem }
.legend svg { width: 36px; height: 8px }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1rem }
figure { margin: 0 }
figure svg { width: 100%; height: auto }
@media print { .wide { overflow: visible } th[scope=row] { position: static } }
";
