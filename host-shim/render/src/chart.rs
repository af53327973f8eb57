//! A chart of values over time: as a picture in a browser, with the same as a table beside it, and as
//! a row of bars in a terminal.
//!
//! The numbers are a stranger's: however many there are, a drawing has at most so many steps.

use jiff::Timestamp;
use maud::{Markup, html};

use super::text::{tone_word, visible};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{Chart, Point, Series};

/// Steps of a line that are drawn; what lies between two of them counts with its highest value.
const STEPS: usize = 120;

/// Series that are drawn.
const MOST_SERIES: usize = 4;

/// Width and height of the picture, and the room at its left and below for words.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 40.0;
const BELOW: f64 = 24.0;

/// The highest value of each step between the chart's ends; none before the first point, of which nobody
/// has said anything.
fn steps(chart: &Chart, series: &Series, steps: usize) -> Vec<Option<u32>> {
    let mut highest = vec![None; steps];
    if chart.end <= chart.begin {
        // A stranger's chart that ends before it begins has nothing to show.
        return highest;
    }
    let length = i128::from(chart.end) - i128::from(chart.begin);
    let place = |at: i64| {
        let offset = i128::from(at.clamp(chart.begin, chart.end)) - i128::from(chart.begin);
        let step = offset * steps as i128 / length;
        usize::try_from(step).unwrap_or(0).min(steps - 1)
    };
    let points: Vec<&Point> = series.points.iter().collect();
    for (number, point) in points.iter().enumerate() {
        let next = points.get(number + 1);
        let until = next.map_or(chart.end, |next| next.at);
        if until < chart.begin || point.at > chart.end || until < point.at {
            continue;
        }
        for value in &mut highest[place(point.at)..=place(until)] {
            *value = Some(point.value).max(*value);
        }
        // What ends where a step begins has no part in that step.
        if let Some(next) = next.filter(|_| until < chart.end && place(until) > place(point.at)) {
            highest[place(until)] = Some(next.value);
        }
    }
    highest
}

/// The chart for a browser.
pub(super) fn picture(chart: &Chart) -> Markup {
    let series: Vec<(&Series, Vec<Option<u32>>)> = chart
        .series
        .iter()
        .take(MOST_SERIES)
        .map(|series| (series, steps(chart, series, STEPS)))
        .collect();
    let values = series.iter().flat_map(|(_, steps)| steps);
    let most = values.copied().flatten().max().unwrap_or(0).max(1);
    let caption = visible(&chart.caption);
    html! {
        figure.chart {
            figcaption { (caption) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(caption) {
                @for value in lines(most) {
                    line.grid x1=(LEFT) x2=(WIDTH) y1=(y(value, most)) y2=(y(value, most)) {}
                    text x=(LEFT - 6.0) y=(y(value, most) + 4.0) text-anchor="end" { (value) }
                }
                text x=(LEFT) y=(HEIGHT - 6.0) { (day(chart.begin)) }
                text x=(WIDTH) y=(HEIGHT - 6.0) text-anchor="end" { (day(chart.end)) }
                @for (number, (series, steps)) in series.iter().enumerate() {
                    path.line.(tone_word(series.tone)).(format!("line-{number}")) d=(line(steps, most)) {}
                }
            }
            ul.legend {
                @for (number, (series, steps)) in series.iter().enumerate() {
                    li {
                        svg.key viewBox="0 0 24 8" aria-hidden="true" { path.line.(tone_word(series.tone)).(format!("line-{number}")) d="M0 4H24" {} }
                        " " (visible(&series.label)) ": " (summary(steps))
                    }
                }
            }
        }
    }
}

/// The last value and the highest one, in words.
fn summary(steps: &[Option<u32>]) -> String {
    match (
        steps.last().copied().flatten(),
        steps.iter().flatten().max(),
    ) {
        (Some(now), Some(most)) => format!("{now} now, {most} at most"),
        _ => "not known".to_owned(),
    }
}

/// The values at which a line across helps to read a height.
fn lines(most: u32) -> Vec<u32> {
    match most {
        0..=4 => (0..=most).collect(),
        _ => vec![0, most / 2, most],
    }
}

fn y(value: u32, most: u32) -> f64 {
    let height = HEIGHT - BELOW - 10.0;
    let share = f64::from(value) / f64::from(most);
    ((10.0 + height * (1.0 - share)) * 10.0).round() / 10.0
}

fn line(steps: &[Option<u32>], most: u32) -> String {
    let mut path = String::new();
    let mut before = None;
    for (number, value) in steps.iter().enumerate() {
        let Some(value) = value.filter(|value| before != Some(*value)) else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "there are a hundred of them")]
        let x = LEFT + (WIDTH - LEFT) * number as f64 / steps.len() as f64;
        let y = y(value, most);
        match before {
            None => path.push_str(&format!("M{x:.1} {y}")),
            Some(_) => path.push_str(&format!("H{x:.1}V{y}")),
        }
        before = Some(value);
    }
    if before.is_some() {
        path.push_str(&format!("H{WIDTH}"));
    }
    path
}

/// The chart for a terminal: a row of bars for each series.
pub(super) fn bars(chart: &Chart, width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = width.clamp(10, 60);
    let mut out = format!("{}\n", visible(&chart.caption));
    for series in chart.series.iter().take(MOST_SERIES) {
        let steps = steps(chart, series, width);
        let most = steps.iter().copied().flatten().max().unwrap_or(0);
        let bar = |value: Option<u32>| match (value, most) {
            (None, _) => '?',
            (Some(0), _) | (_, 0) => ' ',
            (Some(value), most) => {
                let full = u64::from(value) * 7 / u64::from(most);
                BARS[usize::try_from(full).unwrap_or(7).min(7)]
            }
        };
        let row: String = steps.iter().map(|value| bar(*value)).collect();
        out.push_str(&format!(
            "|{row}| {}: {}\n",
            visible(&series.label),
            summary(&steps)
        ));
    }
    out.push_str(&format!("{} to {}\n", day(chart.begin), day(chart.end)));
    out
}

fn day(second: i64) -> String {
    Timestamp::from_second(second)
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::Tone;

    fn chart(points: &[(i64, u32)]) -> Chart {
        Chart {
            caption: "Exposures".to_owned(),
            begin: 0,
            end: 100,
            series: vec![Series {
                label: "exposed".to_owned(),
                tone: Tone::Danger,
                points: points
                    .iter()
                    .map(|(at, value)| Point {
                        at: *at,
                        value: *value,
                    })
                    .collect(),
            }],
        }
    }

    #[test]
    fn a_value_holds_until_the_next_one() {
        let chart = chart(&[(0, 1), (50, 3), (80, 0)]);
        let drawn = steps(&chart, &chart.series[0], 10);
        assert_eq!(drawn, [1, 1, 1, 1, 1, 3, 3, 3, 0, 0].map(Some));
    }

    #[test]
    fn what_lies_within_one_step_counts_with_its_highest_value() {
        let chart = chart(&[(0, 0), (41, 9), (42, 0)]);
        assert_eq!(steps(&chart, &chart.series[0], 10)[4], Some(9));
    }

    #[test]
    fn nothing_is_drawn_of_a_time_that_nobody_speaks_of() {
        let chart = chart(&[(80, 0)]);
        let drawn = steps(&chart, &chart.series[0], 10);
        assert_eq!(drawn[..8], [None; 8]);
        assert_eq!(drawn[8..], [Some(0); 2]);
        assert!(bars(&chart, 20).contains("|????????????????    |"));
    }

    proptest! {
        #[test]
        fn no_numbers_make_a_drawing_long_or_break_it(
            points in proptest::collection::vec((any::<i64>(), any::<u32>()), 0..50),
            begin in any::<i64>(),
            end in any::<i64>(),
        ) {
            let chart = Chart { begin, end, ..chart(&points) };
            let drawn = picture(&chart).into_string();
            prop_assert!(drawn.len() < 8_000, "{} bytes", drawn.len());
            prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
            prop_assert!(bars(&chart, 80).len() < 600);
        }
    }
}
