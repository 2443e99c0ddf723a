//! A terminal's cells as an SVG that looks the same with any font: lines, bars and dots are drawn,
//! and each run of letters is as wide as its cells.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// A cell, and what is around them all, in units of the picture.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const MARGIN: f64 = 14.0;
/// Where letters stand in a cell.
const BASELINE: f64 = 13.5;
const RADIUS: f64 = 4.0;

const BACKGROUND: &str = "#16181d";
const TEXT: &str = "#d7dae0";

/// The sixteen colours that a terminal has.
const COLOURS: [&str; 16] = [
    "#16181d", "#e06c75", "#8cc570", "#e5c07b", "#5fa8ef", "#c678dd", "#56b6c2", "#abb2bf",
    "#6f7888", "#ff7b86", "#a5e075", "#f0d399", "#7cbcff", "#d79bec", "#79d6e0", "#ffffff",
];

/// How a cell looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: String,
    bold: bool,
    underlined: bool,
}

pub(super) fn of(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (
        f64::from(columns) * WIDTH + 2.0 * MARGIN,
        f64::from(rows) * HEIGHT + 2.0 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"14\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows {
        line(screen, row, columns, &mut svg);
    }
    cursor(screen, &mut svg);
    svg.push_str("</svg>\n");
    svg
}

fn line(screen: &Screen, row: u16, columns: u16, svg: &mut String) {
    let cells: Vec<(u16, &Cell)> = (0..columns)
        .filter_map(|column| Some((column, screen.cell(row, column)?)))
        .filter(|(_, cell)| !cell.is_wide_continuation())
        .collect();
    let mut letters = Vec::new();
    for run in cells.chunk_by(|(_, one), (_, other)| look(one) == look(other)) {
        let look = look(run[0].1);
        let columns: u16 = run.iter().map(|(_, cell)| width(cell)).sum();
        if look.paper != BACKGROUND {
            let (x, y) = place(run[0].0, row);
            rect(svg, x, y, f64::from(columns) * WIDTH, HEIGHT, &look.paper);
        }
        let mut drawn = String::new();
        for (column, cell) in run {
            let (x, y) = place(*column, row);
            shape(first(cell), x, y, &mut drawn);
        }
        if !drawn.is_empty() {
            let ink = &look.ink;
            let _ = writeln!(svg, "<path d=\"{drawn}\" stroke=\"{ink}\" fill=\"none\"/>");
        }
        bars(run, row, &look, svg);
        letters.push((run, look));
    }
    for (run, look) in letters {
        // Blanks and what was drawn part the words.
        for word in run.split(|(_, cell)| !is_letter(cell)) {
            text(word, row, &look, svg);
        }
    }
}

fn text(word: &[(u16, &Cell)], row: u16, look: &Look, svg: &mut String) {
    let Some((column, _)) = word.first() else {
        return;
    };
    let columns: u16 = word.iter().map(|(_, cell)| width(cell)).sum();
    let (x, y) = place(*column, row);
    let letters: String = word
        .iter()
        .map(|(_, cell)| escaped(cell.contents()))
        .collect();
    let bold = if look.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let line = if look.underlined {
        " text-decoration=\"underline\""
    } else {
        ""
    };
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{bold}{line}>{letters}</text>",
        y + BASELINE,
        f64::from(columns) * WIDTH,
        look.ink,
    );
}

/// Bars and the dots of braille, which are filled.
fn bars(run: &[(u16, &Cell)], row: u16, look: &Look, svg: &mut String) {
    for (column, cell) in run {
        let (x, y) = place(*column, row);
        let sign = first(cell);
        match sign {
            '▁'..='█' => {
                let eighths = f64::from(u32::from(sign) - u32::from('▁') + 1);
                let high = eighths * (HEIGHT - 2.0) / 8.0;
                rect(svg, x, y + HEIGHT - 1.0 - high, WIDTH, high, &look.ink);
            }
            '\u{2801}'..='\u{28ff}' => dots(u32::from(sign) - 0x2800, x, y, &look.ink, svg),
            _ => {}
        }
    }
}

/// Bit by bit where a dot of braille stands: column and row of eight.
const DOTS: [(f64, f64); 8] = [
    (0.0, 0.0),
    (0.0, 1.0),
    (0.0, 2.0),
    (1.0, 0.0),
    (1.0, 1.0),
    (1.0, 2.0),
    (0.0, 3.0),
    (1.0, 3.0),
];

fn dots(bits: u32, x: f64, y: f64, ink: &str, svg: &mut String) {
    for (at, (column, row)) in DOTS.iter().enumerate() {
        if bits & 1 << at != 0 {
            let (x, y) = (
                x + WIDTH * (0.25 + column / 2.0),
                y + HEIGHT * (0.125 + row / 4.0),
            );
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.3\" fill=\"{ink}\"/>"
            );
        }
    }
}

/// The lines of boxes, from the middle of one edge to that of another.
fn shape(sign: char, x: f64, y: f64, path: &mut String) {
    let (right, bottom) = (x + WIDTH, y + HEIGHT);
    let (middle, centre) = (y + HEIGHT / 2.0, x + WIDTH / 2.0);
    let _ = match sign {
        '─' => write!(path, "M{x:.1} {middle:.1}H{right:.1}"),
        '│' => write!(path, "M{centre:.1} {y:.1}V{bottom:.1}"),
        '╭' => write!(
            path,
            "M{right:.1} {middle:.1}Q{centre:.1} {middle:.1} {centre:.1} {:.1}V{bottom:.1}",
            middle + RADIUS
        ),
        '╮' => write!(
            path,
            "M{x:.1} {middle:.1}Q{centre:.1} {middle:.1} {centre:.1} {:.1}V{bottom:.1}",
            middle + RADIUS
        ),
        '╰' => write!(
            path,
            "M{right:.1} {middle:.1}Q{centre:.1} {middle:.1} {centre:.1} {:.1}V{y:.1}",
            middle - RADIUS
        ),
        '╯' => write!(
            path,
            "M{x:.1} {middle:.1}Q{centre:.1} {middle:.1} {centre:.1} {:.1}V{y:.1}",
            middle - RADIUS
        ),
        _ => Ok(()),
    };
}

fn cursor(screen: &Screen, svg: &mut String) {
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let (x, y) = place(column, row);
        rect(svg, x, y + 1.0, WIDTH, HEIGHT - 2.0, TEXT);
    }
}

fn rect(svg: &mut String, x: f64, y: f64, width: f64, height: f64, fill: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
    );
}

fn place(column: u16, row: u16) -> (f64, f64) {
    (
        MARGIN + f64::from(column) * WIDTH,
        MARGIN + f64::from(row) * HEIGHT,
    )
}

fn first(cell: &Cell) -> char {
    cell.contents().chars().next().unwrap_or(' ')
}

fn width(cell: &Cell) -> u16 {
    if cell.is_wide() { 2 } else { 1 }
}

/// Whether a cell is shown by a font.
fn is_letter(cell: &Cell) -> bool {
    let sign = first(cell);
    sign != ' ' && !"─│╭╮╰╯".contains(sign) && !matches!(sign, '▁'..='█' | '\u{2800}'..='\u{28ff}')
}

fn look(cell: &Cell) -> Look {
    let ink = colour(cell.fgcolor(), TEXT);
    let paper = colour(cell.bgcolor(), BACKGROUND);
    let (ink, paper) = if cell.inverse() {
        (paper, ink)
    } else {
        (ink, paper)
    };
    Look {
        ink,
        paper,
        bold: cell.bold(),
        underlined: cell.underline(),
    }
}

fn colour(colour: Color, default: &str) -> String {
    match colour {
        Color::Default => default.to_owned(),
        Color::Idx(number @ 0..16) => COLOURS[usize::from(number)].to_owned(),
        Color::Idx(number @ 232..) => {
            let level = 8 + 10 * (u32::from(number) - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
        Color::Idx(number) => {
            let cube = u32::from(number) - 16;
            let level = |step: u32| if step == 0 { 0 } else { 55 + 40 * step };
            let (red, green, blue) = (cube / 36, cube / 6 % 6, cube % 6);
            format!("#{:02x}{:02x}{:02x}", level(red), level(green), level(blue))
        }
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
