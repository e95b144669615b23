//! Pages for people, each one self-contained file.

use maud::{Markup, PreEscaped, html};

/// The style sheet of every page.
const STYLE: &str = include_str!("page.css");

/// The head of a page called `title`; `own_style` is added to the common style.
pub fn head(title: &str, own_style: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="generator" content=(concat!("harness ", env!("CARGO_PKG_VERSION")));
            title { (title) }
            style { (PreEscaped(STYLE)) (PreEscaped(own_style)) }
        }
    }
}
