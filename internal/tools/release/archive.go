package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"time"
)

// file is a file of an archive.
type file struct {
	name string
	data []byte
	mode os.FileMode
}

// archive returns the name and the bytes of an archive of files, in a folder of the archive's name. They
// depend on the arguments alone: the files are sorted, belong to uid 0 without a name, and have one time.
func (p platform) archive(files []file, date time.Time) (name string, data []byte, err error) {
	files = slices.SortedFunc(slices.Values(files), func(a, b file) int { return cmp.Compare(a.name, b.name) })
	for i := range files {
		files[i].name = p.name() + "/" + files[i].name
	}
	var b bytes.Buffer
	if p.os == "windows" {
		err = writeZip(&b, files, date)
		return p.name() + ".zip", b.Bytes(), err
	}
	err = writeTar(&b, files, date)
	return p.name() + ".tar.gz", b.Bytes(), err
}

// writeTar writes a compressed tar. The header of gzip has no name and no time.
func writeTar(w io.Writer, files []file, date time.Time) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.data)), Mode: int64(f.mode), ModTime: date,
			Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		if _, err := archive.Write(f.data); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

// writeZip writes a zip.
func writeZip(w io.Writer, files []file, date time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: date}
		h.SetMode(f.mode)
		to, err := archive.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := to.Write(f.data); err != nil {
			return err
		}
	}
	return archive.Close()
}
