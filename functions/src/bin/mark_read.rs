//! The binary of [`windi_functions::mark_read`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::mark_read::main()
}
