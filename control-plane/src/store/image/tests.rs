//! What the image promises.

mod crash;

use super::*;

const BULK: u8 = 6;

fn open(directory: &Path) -> (Image, Loaded) {
    Image::open(directory, BULK).unwrap()
}

fn applied(index: u64) -> Applied {
    Applied { index, bytes: format!("log id {index}").into_bytes() }
}

async fn write(image: &Image, index: u64, rows: &[(&[u8], Option<&[u8]>)]) {
    let changes = rows.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
    image.write(changes, applied(index)).await.unwrap();
    image.reached(index).await.unwrap();
}

#[tokio::test]
async fn rows_survive_a_reopen_and_bulk_rows_stay_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("state");
    let (image, loaded) = open(&directory);
    assert!(loaded.rows.is_empty() && loaded.applied.is_none() && loaded.moved.is_none());
    let long = vec![5; 200_000];
    write(&image, 3, &[(b"\x00", Some(b"meta")), (b"\x01a", Some(&long)), (b"\x06\x00", Some(b"leaf 0"))])
        .await;
    write(&image, 4, &[(b"\x01b", Some(b"b")), (b"\x06\x01", Some(b"leaf 1"))]).await;
    write(&image, 5, &[(b"\x01a", Some(b"short")), (b"\x01b", None)]).await;
    image.close();
    let (image, loaded) = open(&directory);
    assert_eq!(loaded.rows, [(b"\x00".to_vec(), b"meta".to_vec()), (b"\x01a".to_vec(), b"short".to_vec())]);
    assert_eq!(loaded.applied, Some(applied(5)));
    assert_eq!(image.progress().index, 5);
    let leaves = image.bulk_rows(&[], 10).unwrap();
    assert_eq!(leaves.iter().map(|(_, leaf)| leaf.as_slice()).collect::<Vec<_>>(), [b"leaf 0", b"leaf 1"]);
    assert_eq!(image.bulk_rows(&[1], 10).unwrap().len(), 1);
    assert!(image.row(b"\x01b").unwrap().is_none());
    image.close();
}

#[tokio::test]
async fn leaf_made_again_with_other_bytes_stops_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let (image, _) = open(&dir.path().join("state"));
    write(&image, 1, &[(b"\x06\x00", Some(b"leaf"))]).await;
    // The same bytes are a replay; others are a divergence.
    write(&image, 2, &[(b"\x06\x00", Some(b"leaf"))]).await;
    image.write(vec![(b"\x06\x00".to_vec(), Some(b"other".to_vec()))], applied(3)).await.unwrap();
    let error = image.reached(3).await.unwrap_err();
    assert!(error.to_string().contains("diverged"), "{error}");
    image.close();
}

#[tokio::test]
async fn replaced_rows_are_all_new() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("state");
    let (image, _) = open(&directory);
    write(&image, 1, &[(b"\x01old", Some(b"1")), (b"\x06\x00", Some(b"leaf"))]).await;
    let rows: Vec<io::Result<Row>> =
        (0..300_u32).map(|n| Ok(([&[1], n.to_be_bytes().as_slice()].concat(), vec![1; 30_000]))).collect();
    image.replace(Box::new(rows.into_iter()), applied(9)).await.unwrap();
    image.close();
    let (image, loaded) = open(&directory);
    assert_eq!((loaded.rows.len(), loaded.applied), (300, Some(applied(9))));
    assert!(image.bulk_rows(&[], 10).unwrap().is_empty());
    image.close();
    // A source that ends in an error leaves an image that is begun again, whether or not rows were written already.
    for many in [false, true] {
        let some =
            (0..if many { 300 } else { 1_u32 }).map(|n| Ok((n.to_be_bytes().to_vec(), vec![1; 30_000])));
        let broken: Vec<io::Result<Row>> = some.chain([Err(io::Error::other("gone"))]).collect();
        let (image, _) = open(&directory);
        image.replace(Box::new(broken.into_iter()), applied(10)).await.unwrap_err();
        image.close();
        let (image, loaded) = open(&directory);
        assert!(loaded.rows.is_empty() && loaded.applied.is_none());
        assert_eq!(loaded.moved.is_some(), many);
        image.close();
    }
}

#[tokio::test]
async fn damage_is_found_and_the_image_moved_aside() {
    for cut in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("state");
        let (image, _) = open(&directory);
        for index in 1..40 {
            write(&image, index, &[(format!("\x01{index}").as_bytes(), Some(&[7; 3_000]))]).await;
        }
        image.close();
        let path = directory.join("db");
        let mut bytes = fs::read(&path).unwrap();
        if cut {
            bytes.truncate(60_000);
        } else {
            bytes[20_000] ^= 0xff;
        }
        fs::write(&path, &bytes).unwrap();
        fs::write(directory.join("snap.0000000000000001.generating"), b"left by a crash").unwrap();
        let (image, loaded) = open(&directory);
        // sled takes the damage for an unfinished write and goes back to before it: that is whole too, and the log goes on
        // from there.
        let index = loaded.applied.as_ref().map_or(0, |applied| applied.index);
        assert!(
            index < 39 && loaded.rows.len() == usize::try_from(index).unwrap(),
            "cut {cut}: {} rows at {index}",
            loaded.rows.len()
        );
        assert!(index > 0 || loaded.moved.is_some(), "cut {cut}");
        write(&image, index + 1, &[(b"\x01a", Some(b"again"))]).await;
        image.close();
        assert_eq!(open(&directory).1.applied, Some(applied(index + 1)));
    }
}

/// Holds something for a moment, as sled's pool of threads holds its file.
fn hold_a_moment<T: Send + 'static>(held: T) {
    std::thread::spawn(move || {
        let (_sender, never) = std::sync::mpsc::channel::<()>();
        never.recv_timeout(std::time::Duration::from_millis(50)).unwrap_err();
        drop(held);
    });
}

#[tokio::test]
async fn closed_image_is_let_go_of_and_one_that_is_not_yet_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("state");
    let (image, _) = open(&directory);
    write(&image, 1, &[(b"\x01a", Some(b"1"))]).await;
    hold_a_moment(image.db.lock().unwrap().clone());
    image.close();
    let file = fs::File::open(directory.join("db")).unwrap();
    file.try_lock().expect("nobody holds a closed image");
    hold_a_moment(file);
    let (image, loaded) = open(&directory);
    assert_eq!((loaded.applied, loaded.moved), (Some(applied(1)), None));
    image.close();
}

#[tokio::test]
async fn rows_that_do_not_add_up_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("state");
    let (image, _) = open(&directory);
    write(&image, 1, &[(b"\x01a", Some(b"1")), (b"\x01b", Some(b"2"))]).await;
    image.close();
    // As if sled had lost a page, or brought an older one back: its own checksums are right.
    let db = sled::Config::new().path(&directory).segment_size(SEGMENT_BYTES).open().unwrap();
    db.remove(b"\x01b").unwrap();
    drop(db);
    assert!(open(&directory).1.moved.is_some());
}
