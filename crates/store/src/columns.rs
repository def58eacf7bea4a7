//! Arrow columns by name, both ways: a row type writes itself as columns and reads itself from them.
//!
//! Reading never indexes or unwraps: a column that is not there, or of another type, is an error.

use crate::StoreError;
use anyhow::anyhow;
use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int32Array, Int64Array, RecordBatch, StringArray,
    types::Float32Type,
};
use arrow_schema::{DataType, Field, Schema};
use std::sync::Arc;

/// Columns of a table in the making.
#[derive(Default)]
pub(crate) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(mut self, name: &str, kind: DataType, nullable: bool, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, kind, nullable));
        self.arrays.push(array);
        self
    }

    pub(crate) fn text<S: AsRef<str>>(self, name: &str, values: impl Iterator<Item = S>) -> Self {
        self.push(name, DataType::Utf8, false, Arc::new(StringArray::from_iter_values(values)))
    }

    pub(crate) fn long(self, name: &str, values: impl Iterator<Item = i64>) -> Self {
        self.push(name, DataType::Int64, false, Arc::new(Int64Array::from_iter_values(values)))
    }

    pub(crate) fn int(self, name: &str, values: impl Iterator<Item = i32>) -> Self {
        self.push(name, DataType::Int32, false, Arc::new(Int32Array::from_iter_values(values)))
    }

    pub(crate) fn flag(self, name: &str, values: impl Iterator<Item = bool>) -> Self {
        self.push(name, DataType::Boolean, false, Arc::new(BooleanArray::from_iter(values.map(Some))))
    }

    /// Vectors of `dims` values; an empty one is null. No column where there are no values.
    pub(crate) fn vector<'a>(self, name: &str, dims: usize, values: impl Iterator<Item = &'a [f32]>) -> Self {
        if dims == 0 {
            return self;
        }
        let array = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
            values.map(|v| (!v.is_empty()).then(|| v.iter().copied().map(Some))),
            dims as i32,
        );
        let kind = array.data_type().clone();
        self.push(name, kind, true, Arc::new(array))
    }

    pub(crate) fn batch(self) -> Result<RecordBatch, StoreError> {
        Ok(RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)?)
    }
}

/// One column of a batch by name, as its Arrow type.
fn typed<'a, A: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a A, StoreError> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_any().downcast_ref::<A>())
        .ok_or_else(|| StoreError::Other(anyhow!("column {name} is missing or of another type")))
}

pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, StoreError> {
    typed(batch, name)
}

pub(crate) fn longs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array, StoreError> {
    typed(batch, name)
}

pub(crate) fn ints<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int32Array, StoreError> {
    typed(batch, name)
}

pub(crate) fn flags<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, StoreError> {
    typed(batch, name)
}

pub(crate) fn floats<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Float32Array, StoreError> {
    typed(batch, name)
}

/// The vector of one row; empty where it is null, or where there is no such column.
pub(crate) fn vector(batch: &RecordBatch, name: &str, row: usize) -> Result<Vec<f32>, StoreError> {
    if batch.column_by_name(name).is_none() {
        return Ok(Vec::new());
    }
    let list: &FixedSizeListArray = typed(batch, name)?;
    if list.is_null(row) {
        return Ok(Vec::new());
    }
    let values = list.value(row);
    let values =
        values.as_any().downcast_ref::<Float32Array>().ok_or_else(|| anyhow!("column {name} does not hold f32"))?;
    Ok(values.values().to_vec())
}
