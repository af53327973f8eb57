//! Draws lines over two logarithmic axes, as SVG that is readable on light and on dark ground.

/// Pixels of one chart.
const WIDE: f64 = 420.0;
const HIGH: f64 = 300.0;

/// Pixels around the field in which lines are drawn.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// Colours that stand out from white and from black alike; the first line is whole and the second is dashed, so that
/// no one depends on them.
const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #24292f }\n\
.title { font-weight: 600; font-size: 13px }\n\
.grid { stroke: #8c959f; stroke-opacity: .35; stroke-width: 1 }\n\
.line { fill: none; stroke-width: 2 }\n\
.line0 { stroke: #0969da } .line1 { stroke: #bc4c00; stroke-dasharray: 6 4 }\n\
.dot0 { fill: #0969da } .dot1 { fill: #bc4c00 }\n\
@media (prefers-color-scheme: dark) {\n\
  text { fill: #e6edf3 }\n\
  .line0 { stroke: #58a6ff } .line1 { stroke: #f0883e }\n\
  .dot0 { fill: #58a6ff } .dot1 { fill: #f0883e }\n\
}";

/// One line.
pub(crate) struct Line {
    pub(crate) label: &'static str,
    /// Across and up; both above 0.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Two lines over the same axes.
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// What the axes measure.
    pub(crate) across: &'static str,
    pub(crate) up: &'static str,
    pub(crate) lines: [Line; 2],
}

/// A logarithmic axis over whole powers of ten.
struct Axis {
    from: i32,
    to: i32,
    /// Pixels where it begins and ends.
    begin: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, begin: f64, end: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        let from = power(least.log10().floor());
        let to = power(most.log10().ceil()).max(from + 1);
        Self {
            from,
            to,
            begin,
            end,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        self.begin + share * (self.end - self.begin)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        (self.from..=self.to).map(|power| 10f64.powi(power))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a handful of powers of ten"
)]
fn power(exponent: f64) -> i32 {
    exponent.clamp(-9.0, 15.0) as i32
}

impl Chart {
    /// All of them, two in a row.
    pub(crate) fn sheet(charts: &[Self]) -> String {
        let rows = u32::try_from(charts.len().div_ceil(2)).unwrap_or(u32::MAX);
        let (wide, high) = (2.0 * WIDE, f64::from(rows) * HIGH);
        let mut drawn = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" role=\"img\" aria-label=\"Time and memory of loading advisories, by ranges and by components, in the plugin and natively\">\n<style>{STYLE}</style>\n"
        );
        for (place, chart) in (0u32..).zip(charts) {
            let (x, y) = (f64::from(place % 2) * WIDE, f64::from(place / 2) * HIGH);
            drawn.push_str(&format!("<g transform=\"translate({x} {y})\">\n"));
            chart.draw(&mut drawn);
            drawn.push_str("</g>\n");
        }
        drawn.push_str("</svg>\n");
        drawn
    }

    fn draw(&self, drawn: &mut String) {
        let points = || {
            self.lines
                .iter()
                .flat_map(|line| line.points.iter().copied())
        };
        let across = Axis::over(points().map(|point| point.0), LEFT, WIDE - RIGHT);
        let up = Axis::over(points().map(|point| point.1), HIGH - BOTTOM, TOP);
        drawn.push_str(&format!(
            "<text class=\"title\" x=\"{LEFT}\" y=\"18\">{}</text>\n",
            self.title
        ));
        for mark in across.marks() {
            let x = across.at(mark);
            drawn.push_str(&format!(
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                up.begin, up.end, up.begin + 16.0, number(mark)
            ));
        }
        for mark in up.marks() {
            let y = up.at(mark);
            drawn.push_str(&format!(
                "<line class=\"grid\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                across.begin, across.end, across.begin - 6.0, y + 4.0, number(mark)
            ));
        }
        drawn.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            f64::midpoint(across.begin, across.end), HIGH - 12.0, self.across,
            f64::midpoint(up.begin, up.end), self.up
        ));
        for (style, line) in self.lines.iter().enumerate() {
            line.draw(style, &across, &up, drawn);
        }
    }
}

impl Line {
    fn draw(&self, style: usize, across: &Axis, up: &Axis, drawn: &mut String) {
        let places = self.points.iter();
        let places = places.map(|(x, y)| (across.at(*x), up.at(*y)));
        let path: Vec<String> = places
            .clone()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        drawn.push_str(&format!(
            "<polyline class=\"line line{style}\" points=\"{}\"/>\n",
            path.join(" ")
        ));
        for (x, y) in places {
            drawn.push_str(&format!(
                "<circle class=\"dot{style}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n"
            ));
        }
        // A key above the field; lines that end at one place would write over each other.
        let x = WIDE - RIGHT - 128.0 + if style == 0 { 0.0 } else { 70.0 };
        drawn.push_str(&format!(
            "<line class=\"line line{style}\" x1=\"{x}\" y1=\"14\" x2=\"{}\" y2=\"14\"/><text x=\"{}\" y=\"18\">{}</text>\n",
            x + 22.0, x + 28.0, self.label
        ));
    }
}

/// A power of ten in few letters.
fn number(value: f64) -> String {
    if value >= 1e6 {
        format!("{}M", value / 1e6)
    } else if value >= 1e3 {
        format!("{}k", value / 1e3)
    } else {
        format!("{value}")
    }
}
