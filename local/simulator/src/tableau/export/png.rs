//! Blank PNG images. A PNG comment says what they would show.

use super::crc32;

/// A blank PNG of this size in pixels.
pub(crate) fn png(width: u32, height: u32, comment: &str) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    // One bit of grey per pixel.
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    chunk(&mut file, b"IHDR", &header);
    let comment: String = comment.chars().filter(char::is_ascii).collect();
    chunk(&mut file, b"tEXt", &[b"Comment\0", comment.as_bytes()].concat());
    let row = [&[0][..], &vec![0xFF; width.div_ceil(8) as usize]].concat();
    chunk(&mut file, b"IDAT", &zlib(&row.repeat(height as usize)));
    chunk(&mut file, b"IEND", b"");
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let body = [kind, data].concat();
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(&body);
    file.extend(crc32(&body).to_be_bytes());
}

/// A zlib stream without compression.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xFFFF).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let mut a = 1_u32;
    let mut b = 0_u32;
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}
