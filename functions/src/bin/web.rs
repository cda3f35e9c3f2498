//! The binary of [`windi_functions::web`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::web::main()
}
