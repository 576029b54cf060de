import CShims

/// The kernel's usual text for a positive error number: `No such file or directory`.
public func errorText(_ errno: Int32) -> String {
    // Lifetime: static storage of libc, copied here.
    unsafe String(cString: cshims_error_text(errno))
}
