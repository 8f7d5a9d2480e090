package llmidem

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/uuid"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// What a reference to a secret begins with.
const (
	refEnv  = "env:"
	refFile = "file:"
)

// maxSecret is the largest file of a secret.
const maxSecret = 64 << 10

// StoreURL returns the URL of the store, for the program to open: c.Store itself, or
// what it refers to. It is "" where no store is set. The URL may hold a password: it
// belongs in no log. The error names what the reference leads to, and never what is
// there.
func (c Config) StoreURL() (string, error) {
	if !isReference(c.Store) {
		return c.Store, nil
	}
	text, _, err := followReference(c.Store)
	if err == nil {
		if _, ok := storeURL(text); !ok {
			err = errors.New("leads to what is no URL; as in redis://host:6379/0")
		}
	}
	if err != nil {
		return "", errors.New("llmidem: Config.Store" + c.placed("Store") + " " + err.Error())
	}
	return text, nil
}

// checkReferences refuses secrets that are written down.
func (c Config) checkReferences() (errs []error) {
	if c.SchemeSecret != "" && !isReference(c.SchemeSecret) {
		errs = append(errs, optionError("Config.SchemeSecret", "is no reference", "write env:NAME or file:PATH; the secret itself does not belong here"))
	}
	if c.Store == "" || isReference(c.Store) {
		return errs
	}
	u, ok := storeURL(c.Store)
	if !ok {
		return append(errs, optionError("Config.Store", "is no URL", "write one like redis://host:6379/0, or env:NAME or file:PATH of one"))
	}
	_, secret := u.User.Password()
	for name := range u.Query() {
		name = strings.ToLower(name)
		for _, part := range [...]string{"pass", "pwd", "secret", "token", "key", "auth"} {
			secret = secret || strings.Contains(name, part) && name != "sslkey" // which is a path
		}
	}
	if secret {
		errs = append(errs, optionError("Config.Store", "is a URL with a password", "keep it elsewhere, and write env:NAME or file:PATH"))
	}
	return errs
}

// storeURL parses what may be the URL of a store. host:port is none, and neither is
// C:\path.
func storeURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	return u, err == nil && len(u.Scheme) > 1 && u.Opaque == ""
}

// isReference reports whether a text is env:NAME or file:PATH.
func isReference(s string) bool {
	if name := referredVariable(s); name != "" {
		return !strings.ContainsAny(name, "= \t\r\n")
	}
	path, ok := strings.CutPrefix(s, refFile)
	return ok && path != ""
}

// referredVariable is the variable that a reference names, or "".
func referredVariable(ref string) string {
	name, _ := strings.CutPrefix(ref, refEnv)
	if len(name) == len(ref) {
		return ""
	}
	return name
}

// besideFile makes the path in a reference relative to the file that it stands in.
func besideFile(ref, file string) string {
	path, ok := strings.CutPrefix(ref, refFile)
	if !ok || path == "" || filepath.IsAbs(path) {
		return ref
	}
	return refFile + filepath.Join(filepath.Dir(file), path)
}

// followReference reads what a reference leads to, and whether others may read it
// too. The error begins where the option's name ends.
func followReference(ref string) (text string, exposed bool, err error) {
	if name := referredVariable(ref); name != "" {
		if text = os.Getenv(name); text == "" {
			return "", false, errors.New("refers to the variable " + name + ", which is not set; set it")
		}
		return text, false, nil
	}
	path := strings.TrimPrefix(ref, refFile)
	info, err := os.Stat(path)
	if err != nil {
		return "", false, unreadable(path, err)
	}
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return "", false, errors.New("refers to " + path + ", which is no file; put the secret into a file")
	case runtime.GOOS != "windows" && mode.Perm()&0o022 != 0: // Windows has no such bits
		return "", false, errors.New("refers to " + path + ", which others may write to; chmod 600 it")
	case info.Size() > maxSecret:
		return "", false, errors.New("refers to " + path + ", which is larger than 64 KiB; that is no secret")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false, unreadable(path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", false, unreadable(path, err)
	}
	text = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" {
		return "", false, errors.New("refers to " + path + ", which is empty; put the secret into it")
	}
	return text, runtime.GOOS != "windows" && mode.Perm()&0o044 != 0, nil
}

// unreadable says why a file cannot be read, without naming it twice.
func unreadable(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return errors.New("refers to " + path + ", which cannot be read (" + err.Error() + "); let the program's user read it")
}

// checkScheme reports what is wrong with the scheme and what belongs to it.
func (c Config) checkScheme() (errs []error) {
	add := func(field, wrong, fix string) { errs = append(errs, optionError("Config."+field, wrong, fix)) }
	switch c.Scheme {
	case "", "sha256", "uuid5", "hmac":
	default:
		add("Scheme", "is no scheme", "use sha256, uuid5 or hmac")
		return errs
	}
	if c.KeyPrefix != "" && c.Scheme == "uuid5" {
		add("KeyPrefix", "is set, and uuid5 keys have no prefix", "leave it out, or use another Scheme")
	} else if c.KeyPrefix != "" && identity.SHA256(c.KeyPrefix).Err() != nil {
		add("KeyPrefix", "is no prefix of keys", "use small letters and digits and one _ at the end, as in acme_")
	}
	space, err := uuid.Parse(c.SchemeNamespace)
	switch {
	case c.Scheme != "uuid5" && c.SchemeNamespace != "":
		add("SchemeNamespace", "is set, and belongs to the scheme uuid5", "set Scheme to uuid5, or leave it out")
	case c.Scheme == "uuid5" && c.SchemeNamespace == "":
		add("Scheme", "is uuid5, and nothing says in which namespace", "set SchemeNamespace to a UUID of your own, and keep it")
	case c.Scheme == "uuid5" && (err != nil || space == uuid.Nil):
		add("SchemeNamespace", "is no UUID, or the zero one", "generate one, and keep it")
	}
	switch {
	case c.Scheme != "hmac" && c.SchemeSecret != "":
		add("SchemeSecret", "is set, and belongs to the scheme hmac", "set Scheme to hmac, or leave it out")
	case c.Scheme == "hmac" && c.SchemeSecret == "":
		add("Scheme", "is hmac, and nothing says where its secret is", "set SchemeSecret to env:NAME or file:PATH")
	}
	return errs
}

// setScheme makes the scheme of a Config that is valid.
func (s *settings) setScheme() error {
	c := &s.cfg
	prefix := c.KeyPrefix
	def(&prefix, "idem_")
	switch c.Scheme {
	case "uuid5":
		space, err := uuid.Parse(c.SchemeNamespace)
		if err != nil {
			return err // said by checkScheme
		}
		s.scheme = identity.UUID5(space)
	case "hmac":
		secret, exposed, err := followReference(c.SchemeSecret)
		if err != nil {
			wrong, fix, _ := strings.Cut(err.Error(), "; ")
			return optionError("Config.SchemeSecret", wrong, fix)
		}
		s.exposed = exposed
		s.scheme = identity.HMAC(prefix, []byte(secret))
		if s.scheme.Err() != nil {
			return optionError("Config.SchemeSecret", "refers to a secret that is too short", "use 16 bytes at least; 32 random ones are right")
		}
	default:
		s.scheme = identity.SHA256(prefix)
	}
	return nil
}
