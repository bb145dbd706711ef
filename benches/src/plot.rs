//! Line plots as SVG.

use std::fmt::Write;

/// One line of a plot.
pub struct Line {
    /// What it is.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 380.0;
const MARGIN: f64 = 64.0;
const COLOURS: [&str; 4] = ["#0b6e99", "#c4541a", "#4d7c0f", "#6b4fa0"];

/// Draws lines over a logarithmic x, from zero up.
#[must_use]
pub fn draw(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (low, high) = points().fold((f64::MAX, 1.0_f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let top = points().fold(0.0_f64, |top, (_, y)| top.max(*y)) * 1.15;
    let x_of =
        |x: f64| MARGIN + (x / low).log10() / (high / low).log10().max(f64::MIN_POSITIVE) * (WIDTH - 2.0 * MARGIN);
    let y_of = |y: f64| HEIGHT - MARGIN - y / top * (HEIGHT - 2.0 * MARGIN);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/><text x="{MARGIN}" y="28" font-size="15">{title}</text>
<text x="{}" y="{}" text-anchor="middle">{x_name}</text><text x="{MARGIN}" y="50">{y_name}</text>
"##,
        WIDTH / 2.0,
        HEIGHT - 18.0
    );
    let mut put = |text: String| svg.push_str(&text);
    for step in 0..=4 {
        let value = top * f64::from(step) / 4.0;
        let y = y_of(value);
        put(format!(
            r##"<path d="M{MARGIN} {y:.1}H{:.1}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>
"##,
            WIDTH - MARGIN,
            MARGIN - 6.0,
            y + 4.0,
            short(value)
        ));
    }
    let mut ticks: Vec<f64> = points().map(|(x, _)| *x).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    for x in ticks {
        put(format!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>
"#,
            x_of(x),
            HEIGHT - MARGIN + 18.0,
            short(x)
        ));
    }
    for (line, (colour, number)) in lines.iter().zip(COLOURS.iter().cycle().zip(0_u8..)) {
        let mut path = String::new();
        for (x, y) in &line.points {
            // Writing to a String cannot fail.
            let _ = write!(path, "{}{:.1} {:.1}", if path.is_empty() { "M" } else { "L" }, x_of(*x), y_of(*y));
        }
        put(format!(
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/><text x="{:.1}" y="{:.1}" text-anchor="end" fill="{colour}">{}</text>
"#,
            WIDTH - MARGIN,
            28.0 + 16.0 * f64::from(number),
            line.name
        ));
    }
    put("</svg>\n".to_owned());
    svg
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.3} M", value / 1e6).replace(".000", ""),
        value if value >= 1e4 => format!("{:.0} k", value / 1e3),
        value if value >= 1e3 => format!("{:.1} k", value / 1e3).replace(".0", ""),
        value => format!("{value:.0}"),
    }
}
