//! Pictures among artifacts, as pixels for a pane of the screen.
//!
//! A picture may be made to cost much more than its bytes: its size is read, and refused, before it is decoded.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::system::contained::contained;

/// Most pixels of a picture that is decoded.
const MOST_PIXELS: u64 = 32 << 20;
/// Most bytes that decoding may take.
const MOST_BYTES: u64 = 512 << 20;
/// The formats of plots. The decoders of others are not compiled in.
const FORMATS: [ImageFormat; 4] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];

/// A picture, scaled down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width and height of the file's picture.
    pub full: (u32, u32),
    /// Pixels beside each other.
    pub width: usize,
    /// Red, green and blue, row by row from the top.
    pub pixels: Vec<[u8; 3]>,
}

/// The picture in these bytes with at most `most` pixels, width and height. Of an animation it is the first picture.
///
/// # Errors
/// Why it can't be shown.
pub(super) fn read(bytes: &[u8], most: (u32, u32)) -> Result<Picture, String> {
    let format = image::guess_format(bytes).ok().filter(|format| FORMATS.contains(format));
    let format = format.ok_or("It is no PNG, JPEG, GIF or WebP picture.")?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    let open = || {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits.clone());
        reader
    };
    let broken = |error: image::ImageError| format!("The picture is broken: {error}.");
    let size = contained(|| open().into_dimensions());
    let (width, height) =
        size.ok_or("The picture is broken: its size can't be read.")?.map_err(broken)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("The picture has {width} x {height} pixels, too many to be shown."));
    }
    let decoded = contained(|| open().decode().map(|whole| scaled(&whole, most)));
    decoded.ok_or("The picture is broken: its decoder gave up.")?.map_err(broken)
}

/// The picture with at most so many pixels, on white: plots have transparent backgrounds and black labels.
fn scaled(whole: &DynamicImage, most: (u32, u32)) -> Picture {
    let full = (whole.width(), whole.height());
    let fits = full.0 <= most.0 && full.1 <= most.1;
    let small = match fits {
        true => whole.to_rgba8(),
        false => whole.thumbnail(most.0.max(1), most.1.max(1)).to_rgba8(),
    };
    let on_white = |part: u8, alpha: u8| {
        let (part, alpha) = (u16::from(part), u16::from(alpha));
        ((part * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    let pixel = |pixel: &image::Rgba<u8>| {
        let [r, g, b, alpha] = pixel.0;
        [r, g, b].map(|part| on_white(part, alpha))
    };
    let pixels = small.pixels().map(pixel).collect();
    Picture { full, width: small.width() as usize, pixels }
}

/// A PNG picture whose pixels have this colour, for tests.
#[cfg(test)]
pub(super) fn png(width: u32, height: u32, color: [u8; 4]) -> Vec<u8> {
    encoded(ImageFormat::Png, width, height, color)
}

#[cfg(test)]
fn encoded(format: ImageFormat, width: u32, height: u32, color: [u8; 4]) -> Vec<u8> {
    let image = DynamicImage::from(image::RgbaImage::from_pixel(width, height, image::Rgba(color)));
    let image = if format == ImageFormat::Jpeg { image.to_rgb8().into() } else { image };
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_of_plots_are_read_and_scaled_down_but_not_up() {
        for format in FORMATS {
            let bytes = encoded(format, 40, 20, [200, 0, 0, 255]);
            let near = |pixel: &[u8; 3]| pixel[0] > 190 && pixel[1] < 20 && pixel[2] < 20;
            for (most, width, height) in
                [((100, 100), 40, 20), ((40, 20), 40, 20), ((10, 100), 10, 5), ((40, 10), 20, 10)]
            {
                let picture = read(&bytes, most).unwrap();
                assert_eq!((picture.full, picture.width), ((40, 20), width), "{format:?} {most:?}");
                assert_eq!(picture.pixels.len(), width * height, "{format:?} {most:?}");
                assert!(picture.pixels.iter().all(near), "{format:?} {:?}", picture.pixels[0]);
            }
        }
    }

    #[test]
    fn transparent_pixels_are_white() {
        for (color, seen) in [
            ([0, 0, 0, 0], [255; 3]),
            ([0, 0, 0, 255], [0; 3]),
            ([0, 100, 255, 51], [204, 224, 255]),
        ] {
            assert_eq!(read(&png(1, 1, color), (9, 9)).unwrap().pixels, [seen]);
        }
    }

    /// The picture with another size in its header.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png(4, 4, [1, 2, 3, 255]);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let mut sum = u32::MAX;
        for byte in &bytes[12..29] {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            }
        }
        bytes[29..33].copy_from_slice(&(!sum).to_be_bytes());
        bytes
    }

    #[test]
    fn broken_and_huge_pictures_are_refused() {
        assert!(read(&claiming(4, 4), (9, 9)).is_ok(), "the header is written well");
        let huge = read(&claiming(100_000, 100_000), (9, 9)).unwrap_err();
        assert_eq!(huge, "The picture has 100000 x 100000 pixels, too many to be shown.");
        let long = read(&claiming(1_000_000, 40), (9, 9)).unwrap_err();
        assert!(long.contains("pixels, too many"), "{long}");
        for format in FORMATS {
            let whole = encoded(format, 64, 64, [9, 99, 199, 255]);
            for length in [0, 1, 8, 20, 33, whole.len() / 2] {
                // Some decoders show what there is of a picture; none may end the program.
                let _ = read(&whole[..length], (9, 9));
            }
            assert!(read(&whole[..12], (9, 9)).is_err(), "{format:?}");
        }
        let truncated = read(&png(64, 64, [9, 99, 199, 255])[..60], (9, 9)).unwrap_err();
        assert!(truncated.starts_with("The picture is broken: "), "{truncated}");
        let other = read(b"BM not a format that is shown", (9, 9)).unwrap_err();
        assert_eq!(other, "It is no PNG, JPEG, GIF or WebP picture.");
    }
}
