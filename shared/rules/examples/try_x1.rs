//! Checks the files named, for trying things out.
fn main() {
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (n, doc) in text.split("=====\n").enumerate() {
            println!("--- {n}\n{doc}");
            match rules::Rules::check_text(doc) {
                Ok(rules) => println!("OK {}", rules.len()),
                Err(rules::Error::Wrong(problems)) => {
                    for p in problems {
                        println!("{}", rules::render(&p, doc))
                    }
                }
                Err(e) => println!("{e}"),
            }
        }
    }
}
