//! Drawings as SVG: shapes and text with classes, and one style for all of them, light or dark as the reader's system is.

use std::fmt::Write as _;

/// The colours are told apart by people who see few of them, on both grounds. A picture brings its ground along: the page around it
/// may be of the other kind than the system.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#1f2328}\
.title{font-size:16px;font-weight:600}.head{font-weight:600}.soft{fill:#59636e;font-size:12px}\
.ground{fill:#ffffff}.grid{stroke:#d1d9e0;stroke-width:1}.mark{stroke:#59636e;stroke-width:1;stroke-dasharray:4 3}\
.herd{fill:#0969da}.baseline{fill:#8c959f}.peer{fill:#bc4c00}.language{fill:#1a7f37}\
.line{fill:none;stroke-width:2}\
.c0{stroke:#0969da}.c1{stroke:#bc4c00}.c2{stroke:#1a7f37}.c3{stroke:#8250df}.c4{stroke:#9a6700}\
.d0{fill:#0969da}.d1{fill:#bc4c00}.d2{fill:#1a7f37}.d3{fill:#8250df}.d4{fill:#9a6700}\
@media (prefers-color-scheme:dark){\
text{fill:#f0f6fc}.soft{fill:#9198a1}.ground{fill:#0d1117}.grid{stroke:#3d444d}.mark{stroke:#9198a1}\
.herd{fill:#4493f8}.baseline{fill:#9198a1}.peer{fill:#f0883e}.language{fill:#3fb950}\
.c0{stroke:#4493f8}.c1{stroke:#f0883e}.c2{stroke:#3fb950}.c3{stroke:#ab7df8}.c4{stroke:#d29922}\
.d0{fill:#4493f8}.d1{fill:#f0883e}.d2{fill:#3fb950}.d3{fill:#ab7df8}.d4{fill:#d29922}}";

/// How many colours there are for lines: `c0` and so on, with the text's `d0`.
pub(crate) const COLOURS: usize = 5;

/// A drawing in the making. Lengths are in pixels, from the upper left corner.
#[derive(Clone, Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An empty drawing. Its title is drawn, and read out to those who don't see it.
    pub(crate) fn new(title: &str, width: f64, height: f64) -> Self {
        let mut svg = Self { width, height, title: title.to_owned(), body: String::new() };
        svg.rect("ground", 0.0, 0.0, width, height);
        svg.text("title", 16.0, 26.0, Anchor::Start, title);
        svg
    }

    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.add(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\"{anchor}>{}</text>", escaped(text)));
    }

    pub(crate) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.add(format_args!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"));
    }

    pub(crate) fn dot(&mut self, class: &str, x: f64, y: f64, radius: f64) {
        self.add(format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>"));
    }

    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// The whole file.
    pub(crate) fn finish(self) -> String {
        let Self { width, height, title, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n{body}</svg>\n",
            escaped(&title)
        )
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.body, "{element}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
