package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// source is an opened input and its name for messages.
type source struct {
	name string
	io.ReadCloser
}

// open returns the file that the arguments name at i, standard input where they name
// none or "-".
func open(cmd *cobra.Command, args []string, i int) (source, error) {
	if i >= len(args) || args[i] == "-" {
		return source{"standard input", io.NopCloser(cmd.InOrStdin())}, nil
	}
	name := printable(args[i])
	f, err := os.Open(args[i])
	if err != nil {
		return source{}, unread(name, err)
	}
	return source{name, f}, nil
}

// read returns the whole of the input that the arguments name at i.
func read(cmd *cobra.Command, args []string, i int) (name string, data []byte, err error) {
	in, err := open(cmd, args, i)
	if err != nil {
		return "", nil, err
	}
	defer in.Close()
	data, err = io.ReadAll(in)
	if err != nil {
		return "", nil, unread(in.name, err)
	}
	return in.name, data, nil
}

// unread says why an input could not be read, without naming its path twice.
func unread(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return &fault{name, -1, err.Error()}
}

// written says that the output did not take what was written to it.
func written(err error) error {
	if err == nil {
		return nil
	}
	return unread("standard output", err)
}
