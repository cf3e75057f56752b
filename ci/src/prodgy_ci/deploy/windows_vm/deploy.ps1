# Puts a release of a service that NSSM runs to use on this machine, or a former one; Windows PowerShell 5.1, no modules.
#   -Mode Stage     checks the machine and the archive, and extracts it beside what serves
#   -Mode Switch    stops, swaps the folders by renaming, starts, waits for health; puts the former one back on failure
#   -Mode Deploy    Stage and Switch
#   -Mode Rollback  Switch to a former release
#   -Mode Discard   drops what was staged
#   -Mode Status    tells what is there; changes nothing
# -Parameters is a file of JSON. It writes lines of JSON: {ts,step,level,msg}, at last {result,...}. A journal says what
# a run is at: the next one puts right what a run that was broken off left. Exit codes and steps: parameters.py.
param(
    [Parameter(Mandatory = $true)][ValidateSet('Deploy', 'Stage', 'Switch', 'Rollback', 'Discard', 'Status')][string]$Mode,
    [Parameter(Mandatory = $true)][string]$Parameters
)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$utf8 = New-Object Text.UTF8Encoding($false)
[Console]::OutputEncoding = $utf8
Add-Type -AssemblyName 'System.IO.Compression', 'System.IO.Compression.FileSystem'

$script:exitCode = 1
$script:lock = $null
$P = ConvertFrom-Json ([IO.File]::ReadAllText($Parameters, $utf8))
$own = Join-Path $P.releases '.prodgy'
$journalPath = Join-Path $own 'deploy.state.json'
$lockPath = Join-Path $own 'deploy.lock'
$registry = "HKLM:\SYSTEM\CurrentControlSet\Services\$($P.service)"

# --- words and files

function Write-Json($value) {
    [Console]::Out.WriteLine((ConvertTo-Json -InputObject $value -Compress -Depth 5))
    [Console]::Out.Flush()
}

function Say([string]$step, [string]$msg, [string]$level = 'info') {
    Write-Json ([ordered]@{ ts = [DateTime]::UtcNow.ToString('o'); step = $step; level = $level; msg = $msg })
}

function Stop-With([int]$code, [string]$message) {
    $script:exitCode = $code
    throw $message
}

function Get-Value($object, [string]$name) {
    if ($null -ne $object -and $object.PSObject.Properties[$name]) { return $object.$name }
    return $null
}

function Read-Json([string]$path) {
    if (-not [IO.File]::Exists($path)) { return $null }
    try { return ConvertFrom-Json ([IO.File]::ReadAllText($path, $utf8)) } catch { return $null }
}

function Save-Json([string]$path, $value) {
    $new = "$path.new"
    [IO.File]::WriteAllText($new, (ConvertTo-Json -InputObject $value -Depth 5), $utf8)
    if ([IO.File]::Exists($path)) {
        [IO.File]::Replace($new, $path, [NullString]::Value)
    }
    else {
        [IO.File]::Move($new, $path)
    }
}

function Get-Sha256([string]$path) {
    return (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash.ToLowerInvariant()
}

function Invoke-Retrying([scriptblock]$action) {
    # Virus scanners and handles that close late hold files for moments.
    for ($attempt = 1; ; $attempt++) {
        try {
            & $action
            return
        }
        catch {
            if ($attempt -ge 10) { throw }
            Start-Sleep -Milliseconds 500
        }
    }
}

function Move-Folder([string]$from, [string]$to) {
    Invoke-Retrying { [IO.Directory]::Move($from, $to) }
}

function Remove-Folder([string]$path) {
    if (-not $path.StartsWith("$($P.releases)\", [StringComparison]::OrdinalIgnoreCase)) { throw "$path is not to be removed" }
    if ([IO.Directory]::Exists($path)) { Invoke-Retrying { Remove-Item -LiteralPath $path -Recurse -Force } }
}

# --- what is there

function Get-Release([string]$path) {
    if (-not [IO.Directory]::Exists($path)) { return $null }
    $record = Read-Json (Join-Path $path 'deployment.json')
    $origin = Read-Json (Join-Path $path 'release.json')
    $name = Get-Value $record 'release'
    if (-not $name) {
        # Put there by hand. The time goes with the folder when it is renamed.
        $name = 'unmanaged-' + [IO.Directory]::GetCreationTimeUtc($path).ToString('yyyyMMddHHmmss')
    }
    $commit = Get-Value $record 'commit'
    if (-not $commit) { $commit = Get-Value $origin 'commit' }
    return [pscustomobject]@{
        release = $name
        commit  = $commit
        digest  = Get-Value $record 'digest'
        since   = Get-Value $record 'since'
    }
}

function Get-Former {
    $live = Get-Value (Get-Release $P.folder) 'release'
    if (-not [IO.Directory]::Exists($P.releases)) { return }
    foreach ($path in [IO.Directory]::GetDirectories($P.releases)) {
        $name = [IO.Path]::GetFileName($path)
        if ($name.StartsWith('.') -or $name.EndsWith('.new') -or $name -eq $live) { continue }
        Get-Release $path
    }
}

function Get-Journal {
    return Read-Json $journalPath
}

function Set-Journal($journal, [string]$step) {
    $journal.step = $step
    Save-Json $journalPath $journal
}

function Clear-Journal {
    [IO.File]::Delete($journalPath)
}

function Get-StoppedMark([string]$release) {
    # A file that says: the service did not run when this release was put away.
    return Join-Path $own "stopped-$release"
}

function Get-State {
    $service = Get-Service -Name $P.service -ErrorAction SilentlyContinue
    if ($null -eq $service) { return $null }
    return [string]$service.Status
}

function Get-ProgramIds {
    # NSSM's own process is the service's; what it runs are its children.
    $service = Get-CimInstance Win32_Service -Filter "Name='$($P.service)'"
    if ($null -eq $service -or $service.ProcessId -eq 0) { return '' }
    $children = @(Get-CimInstance Win32_Process -Filter "ParentProcessId=$($service.ProcessId)" | Sort-Object ProcessId)
    return @($children | ForEach-Object { $_.ProcessId }) -join ','
}

function Get-Leftovers {
    $prefix = "$($P.folder)\"
    return @(Get-CimInstance Win32_Process | Where-Object {
            $_.ExecutablePath -and $_.ExecutablePath.StartsWith($prefix, [StringComparison]::OrdinalIgnoreCase)
        })
}

function Get-Unhealthy($commit) {
    # Why it is not healthy; nothing if it is. A program that tells its revision must tell this one.
    try {
        $request = [Net.WebRequest]::Create($P.healthUrl)
        $request.Proxy = $null
        $request.Timeout = 5000
        $request.ReadWriteTimeout = 5000
        $request.AllowAutoRedirect = $false
        $request.KeepAlive = $false
        $response = $request.GetResponse()
        try {
            if ([int]$response.StatusCode -ne 200) { return "$($P.healthUrl) answers $([int]$response.StatusCode)" }
            $body = (New-Object IO.StreamReader($response.GetResponseStream())).ReadToEnd()
        }
        finally { $response.Close() }
    }
    catch { return "$($P.healthUrl): $($_.Exception.GetBaseException().Message)" }
    $revision = $null
    try { $revision = Get-Value (ConvertFrom-Json $body) 'revision' } catch { return $null }
    if ($commit -and $revision -and $revision -ne 'unknown' -and $revision -ne $commit) { return "the program reports revision $revision" }
    return $null
}

# --- NSSM, with the service control manager as judge

function Invoke-Nssm([string]$verb) {
    # Not with &: what NSSM writes to standard error would end this script. It writes UTF-16.
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = $P.nssm
    $start.Arguments = "$verb `"$($P.service)`""
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [Text.Encoding]::Unicode
    $start.StandardErrorEncoding = [Text.Encoding]::Unicode
    $process = [Diagnostics.Process]::Start($start)
    $out = $process.StandardOutput.ReadToEndAsync()
    $err = $process.StandardError.ReadToEndAsync()
    if (-not $process.WaitForExit(1000 * ($P.stopSeconds + 10))) {
        $process.Kill()
        Say $verb 'nssm did not end; it was ended' 'warning'
        return
    }
    $words = ($out.Result + $err.Result).Replace("`0", '').Trim()
    Say $verb "nssm ${verb}: exit $($process.ExitCode) $words"
}

function Stop-Program {
    # NSSM gives up after 2.75 s with exit code 1 while the program still stops: only the state counts.
    $until = [DateTime]::UtcNow.AddSeconds($P.stopSeconds)
    if ((Get-State) -ne 'Stopped') { Invoke-Nssm 'stop' }
    while ((Get-State) -ne 'Stopped') {
        if ([DateTime]::UtcNow -gt $until) { return $false }
        Start-Sleep -Milliseconds 250
    }
    while (@(Get-Leftovers).Count -gt 0) {
        if ([DateTime]::UtcNow -gt $until) {
            Get-Leftovers | ForEach-Object { Stop-Process -Id $_.ProcessId -Force -ErrorAction SilentlyContinue }
            Start-Sleep -Seconds 1
            return @(Get-Leftovers).Count -eq 0
        }
        Start-Sleep -Milliseconds 250
    }
    return $true
}

function Start-Program($commit) {
    # Throws unless it starts, goes on running, and is healthy. NSSM pauses a service whose program ends early.
    Invoke-Nssm 'start'
    $until = [DateTime]::UtcNow.AddSeconds($P.startSeconds)
    while ((Get-State) -ne 'Running') {
        if ((Get-State) -eq 'Paused') { throw 'the program ended at once: the service is Paused' }
        if ([DateTime]::UtcNow -gt $until) { throw "the service is $(Get-State) after $($P.startSeconds) s" }
        Start-Sleep -Milliseconds 250
    }
    Say 'stable' "must go on running for $($P.stableSeconds) s"
    $ids = Get-ProgramIds
    $until = [DateTime]::UtcNow.AddSeconds($P.stableSeconds)
    while ([DateTime]::UtcNow -lt $until) {
        Start-Sleep -Milliseconds 500
        if ((Get-State) -ne 'Running') { throw "the program ended: the service is $(Get-State)" }
        if ($ids -eq '') { $ids = Get-ProgramIds }
        if ($ids -ne (Get-ProgramIds)) { throw 'the program ended and was started again' }
    }
    Say 'health' "asking $($P.healthUrl)"
    $until = [DateTime]::UtcNow.AddSeconds($P.healthSeconds)
    while ($why = Get-Unhealthy $commit) {
        if ((Get-State) -ne 'Running') { throw "the program ended: the service is $(Get-State)" }
        if ([DateTime]::UtcNow -gt $until) { throw "not healthy after $($P.healthSeconds) s: $why" }
        Start-Sleep -Seconds 1
    }
}

function Show-Log {
    # The program's last words, before the former one's come.
    try {
        $settings = Get-ItemProperty -LiteralPath "$registry\Parameters"
        foreach ($name in 'AppStdout', 'AppStderr') {
            $path = Get-Value $settings $name
            if (-not $path -or -not [IO.File]::Exists($path)) { continue }
            Get-Content -LiteralPath $path -Tail 20 | ForEach-Object { Say 'health' "${name}: $_" 'log' }
        }
        Get-EventLog -LogName Application -Source nssm -Newest 5 -ErrorAction SilentlyContinue |
            ForEach-Object { Say 'health' "event log: $($_.Message)" 'log' }
    }
    catch { Say 'health' "its log could not be read: $($_.Exception.Message)" 'warning' }
}

# --- the steps

function Test-Machine {
    Say 'preflight' "Windows PowerShell $($PSVersionTable.PSVersion) on $env:COMPUTERNAME"
    $faults = @()
    if ($PSVersionTable.PSVersion -lt [Version]'5.1') { $faults += 'Windows PowerShell 5.1 is needed' }
    if (-not (Test-Administrator)) { $faults += 'the user has no administrator rights over WinRM (LocalAccountTokenFilterPolicy)' }
    if (-not [IO.File]::Exists($P.nssm)) { $faults += "there is no $($P.nssm)" }
    if ($null -eq (Get-State)) { $faults += "there is no service $($P.service)" }
    elseif (-not (Test-Nssm)) { $faults += "NSSM does not run the service $($P.service) with a program of $($P.folder)" }
    if (-not [IO.Directory]::Exists($P.folder) -and $null -eq (Get-Journal)) { $faults += "there is no folder $($P.folder)" }
    foreach ($path in $P.folder, $P.releases) {
        if ([IO.Directory]::Exists($path) -and ([IO.File]::GetAttributes($path) -band [IO.FileAttributes]::ReparsePoint)) {
            $faults += "$path is a link, which cannot be swapped"
        }
    }
    if ($faults.Count -gt 0) { Stop-With 10 ($faults -join '; ') }
}

function Test-Administrator {
    $identity = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
    return $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Test-Nssm {
    $settings = Get-ItemProperty -LiteralPath "$registry\Parameters" -ErrorAction SilentlyContinue
    if ($null -eq (Get-Value $settings 'Application')) { return $false }
    foreach ($name in 'Application', 'AppDirectory') {
        $path = ([string](Get-Value $settings $name)).Trim('"') + '\'
        if ($path.StartsWith("$($P.folder)\", [StringComparison]::OrdinalIgnoreCase)) { return $true }
    }
    return $false
}

function Get-FreeBytes {
    return (New-Object IO.DriveInfo([IO.Path]::GetPathRoot($P.folder))).AvailableFreeSpace
}

function Enter-Lock {
    [void][IO.Directory]::CreateDirectory($own)
    $until = [DateTime]::UtcNow.AddSeconds(3)
    while ($null -eq $script:lock) {
        try {
            $script:lock = New-Object IO.FileStream($lockPath, [IO.FileMode]::OpenOrCreate, [IO.FileAccess]::ReadWrite, [IO.FileShare]::None)
        }
        catch {
            if ([DateTime]::UtcNow -gt $until) { Stop-With 11 "${lockPath}: $($_.Exception.GetBaseException().Message)" }
            Start-Sleep -Milliseconds 250
        }
    }
    Say 'lock' 'held'
}

function Test-Busy {
    if (-not [IO.File]::Exists($lockPath)) { return $false }
    try {
        (New-Object IO.FileStream($lockPath, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)).Dispose()
        return $false
    }
    catch { return $true }
}

function Restore-Former($journal) {
    # Works from what lies on the disk, so that it can begin anywhere. Throws where the folders cannot be put back.
    if ([IO.Directory]::Exists($journal.parked)) {
        if ([IO.Directory]::Exists($P.folder)) {
            if (-not (Stop-Program)) { throw "the service does not stop; the former release lies in $($journal.parked)" }
            Move-Folder $P.folder $journal.source
        }
        Move-Folder $journal.parked $P.folder
    }
    [IO.File]::Delete((Get-StoppedMark $journal.former))
    if (-not $journal.running) {
        $healthy = Stop-Program
    }
    else {
        $healthy = $true
        try { Start-Program $null }
        catch {
            $healthy = $false
            Say 'undo' "the former release: $($_.Exception.Message)" 'error'
        }
    }
    Clear-Journal
    return $healthy
}

function Repair-State {
    $journal = Get-Journal
    if ($null -eq $journal) { return }
    Say 'repair' "a run was broken off at $($journal.step) of $($journal.release): putting back $($journal.former)" 'warning'
    try { [void](Restore-Former $journal) }
    catch { Stop-With 32 $_.Exception.Message }
}

function Switch-Release([string]$source, [string]$release, $commit, [bool]$run) {
    $live = Get-Release $P.folder
    if ($P.expected -and $live.release -ne $P.expected) {
        Stop-With 10 "$($live.release) serves, not $($P.expected): somebody else deployed meanwhile"
    }
    $journal = [pscustomobject]@{
        step    = ''
        release = $release
        source  = $source
        former  = $live.release
        parked  = Join-Path $P.releases $live.release
        running = (Get-State) -eq 'Running'
    }
    Remove-Folder $journal.parked # an older copy of what serves
    $mark = Get-StoppedMark $live.release
    if ($journal.running) { [IO.File]::Delete($mark) } else { [IO.File]::WriteAllText($mark, '') }
    $record = Read-Json (Join-Path $source 'deployment.json')
    if ($null -ne $record) {
        $record.since = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
        Save-Json (Join-Path $source 'deployment.json') $record
    }
    try {
        Set-Journal $journal 'stop'
        Say 'stop' "stopping $($P.service), which serves $($live.release)"
        if (-not (Stop-Program)) { Stop-With 20 "the service is $(Get-State) after $($P.stopSeconds) s" }
        Set-Journal $journal 'swap'
        Say 'swap' "$($P.folder) becomes $release"
        Move-Folder $P.folder $journal.parked
        Move-Folder $source $P.folder
        Set-Journal $journal 'start'
        if ($run) {
            Say 'start' "starting $($P.service)"
            Start-Program $commit
        }
        Clear-Journal
    }
    catch { Undo-Switch $journal $_.Exception.Message }
    return $journal.parked
}

function Undo-Switch($journal, [string]$why) {
    Say 'undo' "${why}: putting back $($journal.former)" 'error'
    if ($journal.step -eq 'start') { Show-Log }
    $healthy = $false
    try { $healthy = Restore-Former $journal }
    catch { Stop-With 32 "$why; $($_.Exception.Message); former release: $($journal.parked), to lie in $($P.folder)" }
    if (-not $healthy) { Stop-With 31 $why }
    if ($journal.step -eq 'stop') { Stop-With 20 $why }
    Stop-With 30 $why
}

function Copy-Preserved([string]$to) {
    foreach ($name in $P.preserve) {
        $from = Join-Path $P.folder $name
        if (-not [IO.File]::Exists($from) -and [IO.File]::Exists((Join-Path $to $name))) { continue } # going back
        if (-not [IO.File]::Exists($from)) { Stop-With 10 "there is no $from, which a release does not replace: put it there" }
        [IO.File]::Copy($from, (Join-Path $to $name), $true)
        if ((Get-Sha256 $from) -ne (Get-Sha256 (Join-Path $to $name))) { throw "$name was not copied as it is" }
        Say 'preserve' $name
    }
}

function Expand-Release([string]$to) {
    Say 'extract' "$($P.archive) to $to"
    [void][IO.Directory]::CreateDirectory($to)
    $acl = New-Object Security.AccessControl.DirectorySecurity
    $acl.SetSecurityDescriptorSddlForm((Get-Acl -LiteralPath $P.folder).GetSecurityDescriptorSddlForm('Access'), 'Access')
    [IO.Directory]::SetAccessControl($to, $acl)
    $zip = [IO.Compression.ZipFile]::OpenRead($P.archive)
    try {
        foreach ($entry in $zip.Entries) {
            $path = [IO.Path]::GetFullPath((Join-Path $to $entry.FullName))
            if ($entry.FullName -match '[:\\]|^/' -or -not $path.StartsWith("$to\")) { Stop-With 12 "the archive holds '$($entry.FullName)', which leads out of it" }
            if ($P.preserve -contains $entry.FullName) { Stop-With 12 "the archive holds $($entry.FullName), which is the machine's own" }
            if ($entry.FullName.EndsWith('/')) { continue }
            [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
            [IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $path)
        }
    }
    finally { $zip.Dispose() }
}

# --- the modes

function Enter-Run {
    Test-Machine
    Enter-Lock
    Repair-State
}

function Get-StagedPath {
    return Join-Path $P.releases "$($P.release).new"
}

function Test-Staged([string]$path) {
    # Its record is written last.
    return [IO.File]::Exists((Join-Path $path 'deployment.json'))
}

function Invoke-Stage {
    $live = Get-Release $P.folder
    if ($live.release -eq $P.release -and (Get-State) -eq 'Running' -and -not (Get-Unhealthy $P.commit)) { return 'unchanged' }
    Say 'verify' $P.archive
    if (-not [IO.File]::Exists($P.archive)) { Stop-With 12 "there is no $($P.archive)" }
    $needed = 3 * (New-Object IO.FileInfo($P.archive)).Length
    if ((Get-FreeBytes) -lt $needed) { Stop-With 10 "$(Get-FreeBytes) bytes are free on the disk, $needed are needed" }
    $found = Get-Sha256 $P.archive
    if ($found -ne $P.sha256) { Stop-With 12 "its SHA-256 is $found, not $($P.sha256)" }
    [IO.Directory]::GetDirectories($P.releases, '*.new') | ForEach-Object { Remove-Folder $_ } # of runs that were broken off
    $staged = Get-StagedPath
    try {
        Expand-Release $staged
        Copy-Preserved $staged
    }
    catch {
        Remove-Folder $staged
        throw
    }
    $record = [ordered]@{ release = $P.release; commit = $P.commit; digest = $P.digest; sha256 = $P.sha256; since = $null }
    Save-Json (Join-Path $staged 'deployment.json') $record
    return 'staged'
}

function Invoke-Switch {
    $live = Get-Release $P.folder
    $staged = Get-StagedPath
    if ($live.release -eq $P.release -and -not (Test-Staged $staged)) { return 'unchanged' }
    if (-not (Test-Staged $staged)) { Stop-With 10 "$($P.release) is not staged" }
    $parked = Switch-Release $staged $P.release $P.commit $true
    Remove-Old $parked
    return 'switched'
}

function Invoke-Rollback {
    $live = Get-Release $P.folder
    $run = -not [IO.File]::Exists((Get-StoppedMark $P.release))
    if ($live.release -eq $P.release) {
        if ($run -and ((Get-State) -ne 'Running' -or (Get-Unhealthy $null))) {
            Say 'start' "$($P.release) lies in $($P.folder) and is not healthy: starting it anew" 'warning'
            if (-not (Stop-Program)) { Stop-With 31 "the service is $(Get-State)" }
            try { Start-Program $null } catch { Stop-With 31 $_.Exception.Message }
        }
        return 'unchanged'
    }
    $former = Join-Path $P.releases $P.release
    if (-not [IO.Directory]::Exists($former)) { Stop-With 10 "the release $($P.release) is not kept" }
    Copy-Preserved $former
    $parked = Switch-Release $former $P.release (Get-Release $former).commit $run
    Remove-Old $parked
    return 'switched'
}

function Invoke-Discard {
    Say 'discard' $P.release
    Remove-Folder (Get-StagedPath)
    $live = Get-Release $P.folder
    if ($live.release -ne $P.release) { Remove-Folder (Join-Path $P.releases $P.release) }
    Remove-Archives
    return 'discarded'
}

function Remove-Archives {
    [IO.Directory]::GetFiles($own, '*.zip*') | ForEach-Object { [IO.File]::Delete($_) }
}

function Remove-Old([string]$parked) {
    # What serves is well: a failure here is a warning.
    try {
        $kept = @(Get-Former | Where-Object { (Join-Path $P.releases $_.release) -ne $parked } | Sort-Object since -Descending)
        foreach ($old in @($kept | Select-Object -Skip ($P.keep - 1))) {
            Say 'prune' $old.release
            Remove-Folder (Join-Path $P.releases $old.release)
        }
        Remove-Archives
        Get-ChildItem -LiteralPath $own -Directory | Where-Object { $_.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddDays(-30) } |
            ForEach-Object { Remove-Folder $_.FullName } # this program's files of earlier runs
    }
    catch { Say 'prune' $_.Exception.Message 'warning' }
}

function Get-Status {
    $free = 0
    try { $free = Get-FreeBytes } catch { Say 'preflight' "$($P.folder): $($_.Exception.Message)" 'warning' }
    $live = Get-Release $P.folder
    $state = Get-State
    $staged = $null
    if ([IO.Directory]::Exists($P.releases)) {
        $staged = [IO.Directory]::GetDirectories($P.releases, '*.new') | Where-Object { Test-Staged $_ } | Select-Object -First 1
    }
    return [ordered]@{
        result        = 'status'
        release       = Get-Value $live 'release'
        commit        = Get-Value $live 'commit'
        digest        = Get-Value $live 'digest'
        since         = Get-Value $live 'since'
        service       = $state
        healthy       = ($state -eq 'Running') -and -not (Get-Unhealthy (Get-Value $live 'commit'))
        staged        = if ($staged) { [IO.Path]::GetFileNameWithoutExtension($staged) } else { $null }
        former        = @(Get-Former | Sort-Object since -Descending)
        journal       = Get-Value (Get-Journal) 'step'
        busy          = Test-Busy
        computer      = $env:COMPUTERNAME
        administrator = Test-Administrator
        nssm          = Test-Nssm
        freeBytes     = $free
    }
}

try {
    if ($Mode -eq 'Status') {
        Write-Json (Get-Status)
        exit 0
    }
    Enter-Run
    switch ($Mode) {
        'Stage' { $result = Invoke-Stage }
        'Switch' { $result = Invoke-Switch }
        'Rollback' { $result = Invoke-Rollback }
        'Discard' { $result = Invoke-Discard }
        'Deploy' {
            $result = Invoke-Stage
            if ($result -eq 'staged') { $result = Invoke-Switch }
        }
    }
    $script:lock.Dispose()
    Write-Json ([ordered]@{ result = $result; release = $P.release })
    exit 0
}
catch {
    if ($null -ne $script:lock) { $script:lock.Dispose() }
    Write-Json ([ordered]@{ result = 'failed'; exit = $script:exitCode; error = $_.Exception.Message; at = $_.InvocationInfo.ScriptLineNumber })
    exit $script:exitCode
}
