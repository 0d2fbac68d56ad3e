package contract

import "testing"

func TestLoadPolicy(t *testing.T) {
	c, err := Load("testdata/store/parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range c.Operations {
		t.Log(o.Name, o.Public, o.Security, len(o.Rules), len(o.Limits), o.Place)
	}
	t.Log(c.NotJudged, c.Notes, c.CORS)
}
