//! Memory that only the start of the process needed.

use std::ffi::{c_int, c_void};
use std::slice;

/// Gives back what is free by now and the C library keeps otherwise, and lets go of the pages of the program
/// itself: the system maps those that are needed again. Reading the command line, finding the configuration
/// and connecting touch much that serving never does.
#[expect(unsafe_code, reason = "the C library's own functions have no safe names")]
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes nothing that is in use, and may be called at any time by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
    // SAFETY: the callback has the signature that is asked for, keeps nothing and does not unwind.
    unsafe {
        libc::dl_iterate_phdr(Some(let_go), std::ptr::null_mut());
    }
}

/// No other object is asked for.
const ENOUGH: c_int = 1;

/// Called for the program itself. Libraries come after it, and are left alone: somebody else may have changed
/// them in memory.
#[expect(unsafe_code, reason = "what the loader tells comes as pointers")]
unsafe extern "C" fn let_go(
    object: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: the loader gives an object that is loaded, with so many headers, for as long as the call takes.
    let (base, segments) = unsafe {
        let object = &*object;
        let segments = slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into());
        (object.dlpi_addr, segments)
    };
    for segment in segments {
        let Some((start, length)) = unchangeable(base, segment) else { continue };
        // SAFETY: whole pages of one segment that is mapped from a file and that nobody may write to: what is
        // let go is read from there again, as it was.
        unsafe {
            libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED);
        }
    }
    ENOUGH
}

/// The whole pages of a segment that is the same in memory as in its file.
fn unchangeable(base: u64, segment: &libc::Elf64_Phdr) -> Option<(usize, usize)> {
    // A multiple of every page size in use.
    const PAGE: usize = 64 * 1024;
    let is_loaded = segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W == 0;
    let begin = usize::try_from(base + segment.p_vaddr).ok()?;
    let end = begin + usize::try_from(segment.p_filesz).ok()?;
    let (begin, end) = (begin.next_multiple_of(PAGE), end / PAGE * PAGE);
    (is_loaded && begin < end).then(|| (begin, end - begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssFile:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn pages_of_the_program_are_let_go_and_come_back() {
        let before = resident();
        give_memory_back();
        let after = resident();
        assert!(after < before / 2, "{before} kB, then {after} kB");
        assert_eq!(format!("{:?}", "as ever"), "\"as ever\"");
    }

    #[test]
    fn only_segments_that_nobody_writes_to_are_let_go() {
        let segment = |kind, flags, size| libc::Elf64_Phdr {
            p_type: kind,
            p_flags: flags,
            p_offset: 0,
            p_vaddr: 0x11000,
            p_paddr: 0,
            p_filesz: size,
            p_memsz: size,
            p_align: 0x1000,
        };
        let text = segment(libc::PT_LOAD, libc::PF_R | libc::PF_X, 0x30000);
        assert_eq!(unchangeable(0x100_0000, &text), Some((0x102_0000, 0x2_0000)));
        let data = segment(libc::PT_LOAD, libc::PF_R | libc::PF_W, 0x30000);
        assert_eq!(unchangeable(0x100_0000, &data), None);
        let small = segment(libc::PT_LOAD, libc::PF_R, 0x100);
        assert_eq!(unchangeable(0x100_0000, &small), None);
        assert_eq!(unchangeable(0, &segment(libc::PT_DYNAMIC, libc::PF_R, 0x30000)), None);
    }
}
