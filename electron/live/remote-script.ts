/**
 * What runs on a machine at the other end of a connection: a POSIX shell script (dash, bash, busybox ash) that does one small thing
 * after the other as it is told by lines on its standard input. All thinking is done here; nothing is installed there. Tools: those
 * of POSIX, and only `cat dd find id kill ls mkdir od printf rmdir sleep test` of them.
 *
 *   in                                     out
 *                                          \0remora PID ORDER UID SUDO NONBLOCK SPEAKER\n
 *   run COMMAND                            what it prints, errors included, \0 STATUS \n
 *   put PATH, then a line with the value   errors, \0 STATUS \n
 *   raw BYTES COUNT PATH                   up to COUNT blocks of BYTES, \0 MARK STATUS \n
 *   make PATH                              errors, \0 STATUS \n; removed again when the input ends
 *   drop PATH                              errors, \0 STATUS \n
 *
 * No text that is read so holds a NUL; among bytes that are no text, a random MARK says where they end. ORDER is 1 on
 * little-endian machines, 256 on others. NONBLOCK is the option that lets dd read without waiting, where it has one; a block that
 * could not be read may then be zeros. SPEAKER is the process that carries the connection there, whose events are left out too: it
 * has more to say the more it says. Who may not trace and may use sudo without a password does so.
 *
 * However the connection ends, the instance is removed: the input ends, a signal comes, or (the network is gone, the script was
 * killed) the watchdog finds that the script has done nothing for a minute; whoever captures asks more often than that.
 */
const SCRIPT = `
export LC_ALL=C PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
if [ -z "$sudo" ] && [ "$(id -u)" != 0 ] && ! [ -w /sys/kernel/tracing/instances ] &&
  ! [ -w /sys/kernel/debug/tracing/instances ] && sudo -n true </dev/null 2>/dev/null; then
  exec sudo -n sh -c "sudo=sudo mark=$mark
$script"
fi
made= watch= child=

drop() {
  echo 0 2>/dev/null >"$1/tracing_on"
  for wait in 0 1 1 1 1 1; do
    rmdir "$1" && return
    [ -d "$1" ] || return 0
    [ $wait = 0 ] || sleep 1
  done
  return 1
}

leave() {
  trap '' HUP INT TERM PIPE
  trap - EXIT
  [ -z "$child" ] || kill "$child"
  [ -z "$watch" ] || kill "$watch"
  [ -z "$made" ] || drop "$made"
  exit 0
} 2>/dev/null

# A process that sleeps in read(2) has no switches. Runs beside the script, with the numbers of its own child to wait for.
watchdog() {
  trap 'kill "$nap"; exit 0' TERM
  trap '' HUP INT PIPE
  before= quiet=0
  while :; do
    sleep 15 &
    nap=$!
    wait "$nap"
    now=gone
    while read -r key value; do
      [ "$key" != voluntary_ctxt_switches: ] || now=$value
    done <"/proc/$$/status"
    [ "$now" != gone ] || break
    if [ "$now" = "$before" ]; then quiet=$((quiet + 1)); else quiet=0; fi
    [ $quiet -lt 4 ] || break
    before=$now
  done
  trap '' TERM
  kill -TERM $$
  sleep 2
  drop "$made"
}

# A trap is only run between commands: what may wait for long is waited for with wait.
await() {
  child=$!
  wait "$child"
  status=$?
  child=
}

end() { printf '\\0%s\\n' "$1"; }

trap leave EXIT HUP INT TERM PIPE
option=
dd if=/dev/null of=/dev/null iflag=nonblock count=0 2>/dev/null && option=iflag=nonblock
speaker=- pid=$$
for step in 1 2 3 4 5 6; do
  parent=0 name=
  while read -r key value rest; do
    case $key in Name:) name=$value ;; PPid:) parent=$value ;; esac
  done <"/proc/$pid/status"
  case $name in sshd* | dropbear*) speaker=$pid && break ;; esac
  [ "$parent" -gt 1 ] || break
  pid=$parent
done
printf '\\0remora %s %s %s %s %s %s\\n' $$ "$(printf '\\1\\0' | od -An -tu2)" "$(id -u)" "\${sudo:--}" "\${option:--}" "$speaker"

while read -r do what; do
  case $do in
    run) eval "$what" 2>&1 </dev/null & await; end $status ;;
    put) IFS= read -r text
      printf '%s' "$text" | dd obs=65536 of="$what" conv=notrunc 2>&1; end $? ;;
    raw) bytes=\${what%% *}; what=\${what#* }; count=\${what%% *}; what=\${what#* }
      dd bs="$bytes" count="$count" if="$what" conv=noerror,sync $option 2>/dev/null </dev/null & await
      printf '\\0%s %s\\n' "$mark" $status ;;
    make) mkdir "$what" 2>&1; status=$?
      if [ $status = 0 ]; then
        made=$what
        watchdog </dev/null >/dev/null 2>&1 & watch=$!
      fi
      end $status ;;
    drop) drop "$what" 2>&1; status=$?
      if [ "$what" = "$made" ] && [ $status = 0 ]; then
        made=
        kill "$watch"
        watch=
      fi
      end $status ;;
  esac
done
`;

/** What a login shell of whatever kind is asked to run: it takes the script from its input, and no byte of what follows. */
export const REMOTE_COMMAND = (mark: string): string =>
  `exec sh -c 'script=$(dd bs=1 count=${SCRIPT.length} 2>/dev/null); mark=${mark}; sudo=; eval "$script"'`;
export const REMOTE_SCRIPT = SCRIPT;
