//! Drawings of the symbols that messages begin with, 17 by 17: not every system has a font with them.

/// The drawing of a symbol.
pub(crate) fn symbol(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "🔴" => r##"<circle cx="8.5" cy="8.5" r="8" fill="#d9362b"/>"##,
        "✅" => {
            r##"<rect width="17" height="17" rx="3" fill="#2eb67d"/><path d="M4 9 l3 4 l6 -8" stroke="#ffffff" stroke-width="2.2" fill="none" stroke-linecap="round" stroke-linejoin="round"/>"##
        }
        "⏳" => {
            r##"<path d="M3 1 h11 M3 16 h11" stroke="#7a5c33" stroke-width="2"/><path d="M4 2 h9 l-4 6.5 l4 6.5 h-9 l4 -6.5 z" fill="#f2c744" stroke="#7a5c33"/>"##
        }
        "🆕" => {
            r##"<rect width="17" height="17" rx="3" fill="#3b88c3"/><text x="8.5" y="11.5" font-size="7.5" font-weight="700" fill="#ffffff" text-anchor="middle">NEW</text>"##
        }
        "✏️" => r##"<path d="M2 15 l1.5 -5 l8 -8 l3.5 3.5 l-8 8 z" fill="#f2a03d" stroke="#7a5c33"/>"##,
        "🗑️" => {
            r##"<path d="M3 4 h11 l-1 12 h-9 z" fill="#c9cdd2" stroke="#6b7078"/><path d="M1.5 3.5 h14 M6 1.5 h5" stroke="#6b7078" stroke-width="2"/>"##
        }
        "ℹ️" => {
            r##"<rect width="17" height="17" rx="3" fill="#3b88c3"/><text x="8.5" y="13" font-size="13" font-weight="700" fill="#ffffff" text-anchor="middle">i</text>"##
        }
        "🏷️" => {
            r##"<path d="M1 7 l6 -5.5 h8.5 v8.5 l-6 5.5 z" fill="#f2d5a0" stroke="#a57c3d"/><circle cx="12" cy="5" r="1.5" fill="#ffffff"/>"##
        }
        "🛡️" => {
            r##"<path d="M8.5 1 l6.5 2 v5 q0 5 -6.5 8 q-6.5 -3 -6.5 -8 v-5 z" fill="#8fa6b8" stroke="#50606d"/>"##
        }
        "🌅" => {
            r##"<rect width="17" height="17" rx="3" fill="#f7b267"/><circle cx="8.5" cy="11" r="4" fill="#fff3b0"/><rect y="11" width="17" height="6" rx="2" fill="#3b6ea5"/>"##
        }
        "🔔" => {
            r##"<path d="M3 13 q1.5 -2 1.5 -6 q0 -4 4 -5 q4 1 4 5 q0 4 1.5 6 z" fill="#f2b632" stroke="#a57c3d"/><path d="M7 14 a1.5 1.5 0 0 0 3 0 z" fill="#a57c3d"/>"##
        }
        "🔕" => {
            r##"<path d="M3 13 q1.5 -2 1.5 -6 q0 -4 4 -5 q4 1 4 5 q0 4 1.5 6 z" fill="#f2b632" stroke="#a57c3d"/><path d="M7 14 a1.5 1.5 0 0 0 3 0 z" fill="#a57c3d"/><path d="M2 16 L15 2" stroke="#d9362b" stroke-width="2"/>"##
        }
        "📊" => {
            r##"<rect x="1" y="1" width="15" height="15" rx="2" fill="#ffffff" stroke="#9aa4ad"/><rect x="3.5" y="8" width="2.8" height="6" fill="#2f8f5b"/><rect x="7.1" y="4" width="2.8" height="10" fill="#d9362b"/><rect x="10.7" y="6" width="2.8" height="8" fill="#3b6ea5"/>"##
        }
        _ => return None,
    })
}
