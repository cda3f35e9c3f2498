//! What is special about single characters.

/// PostgreSQL cannot store U+0000, and the other C0 controls except tab and newline do not belong in text.
pub fn has_controls(text: &str) -> bool {
    text.chars().any(|c| (c < ' ' && c != '\n' && c != '\t') || c == '\u{7f}')
}

/// Whether a character is invisible by itself: white space, controls, what Unicode calls default-ignorable (joiners,
/// direction marks, variation selectors, tags), and the letters and symbols that are drawn as a blank.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{16fe4}' | '\u{1d159}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Line breaks, tabs, and the marks that change the direction of the text after them: a name with one of them would
/// garble every line it is shown in.
pub fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text without line breaks, other control characters and marks that change the direction of text: safe to print.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if breaks_a_line(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A text with line breaks of one kind.
pub fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The lines of a text, each like [`one_line`], with spaces for tabs and `between` between them.
pub fn printable_lines(text: &str, between: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| one_line(&line.replace('\t', "    "))).collect();
    lines.join(between)
}
