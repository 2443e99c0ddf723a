//! Stand-in.
#[derive(Debug, Clone, Copy)]
pub enum Multiplexer {
    None,
}
pub fn copy(_text: &str, _mux: Multiplexer) -> (Vec<u8>, String) {
    (Vec::new(), String::new())
}
