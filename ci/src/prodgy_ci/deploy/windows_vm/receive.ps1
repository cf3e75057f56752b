# Receives one file over standard input: a line of JSON {"path","sha256","bytes"}, then lines "n:base64", n from 0.
# A line that came before is passed over, so that a sender may send it again; a gap is an error. What is written stands
# under its name only when all of it has the wanted SHA-256. It answers one line of JSON: received, present, mismatch.
# The client sends this file without its comments and indentation, as -EncodedCommand: at most 3061 characters.
begin {
    Set-StrictMode -Version 3
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $want = $null
    $file = $null
    $part = $null
    $present = $false
    $next = 0
    $sha = [Security.Cryptography.SHA256]::Create()
    function Hex($hash) { return [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant() }
    function Answer($result, $hash) { [Console]::Out.WriteLine((ConvertTo-Json -Compress @{ result = $result; sha256 = $hash })) }
}
process {
    $line = ([string]$_).Trim([char]0xFEFF)
    if ($present -or $line -eq '') { return }
    if ($null -eq $want) {
        $want = ConvertFrom-Json $line
        if ([IO.File]::Exists($want.path)) {
            $old = [IO.File]::OpenRead($want.path)
            try { $present = (Hex ([Security.Cryptography.SHA256]::Create().ComputeHash($old))) -eq $want.sha256 } finally { $old.Dispose() }
        }
        if (-not $present) {
            [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($want.path))
            $part = $want.path + '.part'
            $file = New-Object IO.FileStream($part, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]::None)
        }
        return
    }
    # The first line again.
    if ($line[0] -eq '{') { return }
    $colon = $line.IndexOf(':')
    $number = [long]$line.Substring(0, $colon)
    if ($number -lt $next) { return }
    if ($number -gt $next) { throw "line $next is missing" }
    $bytes = [Convert]::FromBase64String($line.Substring($colon + 1))
    $file.Write($bytes, 0, $bytes.Length)
    [void]$sha.TransformBlock($bytes, 0, $bytes.Length, $null, 0)
    $next++
}
end {
    # PowerShell reads standard input only for a script that names this variable, outside of its functions.
    $null = $input
    if ($null -eq $want) { throw 'nothing came' }
    if ($present) {
        Answer 'present' $want.sha256
        exit 0
    }
    $file.Dispose()
    [void]$sha.TransformFinalBlock((New-Object byte[] 0), 0, 0)
    $hash = Hex $sha.Hash
    if ($hash -ne $want.sha256) {
        [IO.File]::Delete($part)
        Answer 'mismatch' $hash
        exit 0
    }
    if ([IO.File]::Exists($want.path)) { [IO.File]::Delete($want.path) }
    [IO.File]::Move($part, $want.path)
    Answer 'received' $hash
    exit 0
}
