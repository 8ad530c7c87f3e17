# To be sourced. lock FOLDER: waits until this process holds it; whoever holds it removes it in the end.
lock() {
  until mkdir "$1" 2>/dev/null; do
    owner=$(cat "$1/pid" 2>/dev/null || echo '')
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$1" # its owner was killed
      continue
    fi
    # Nor can one without an owner be waited for: it was killed before it could sign.
    [ -n "$owner" ] || [ -z "$(find "$1" -maxdepth 0 -mmin +1 2>/dev/null)" ] || rm -rf "$1"
    sleep 1
  done
  echo $$ >"$1/pid"
}
